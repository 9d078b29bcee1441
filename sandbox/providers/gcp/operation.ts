import { isRecord, type Properties, text } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";
import type { Api } from "./settings.ts";

/** The real plugin's timeout. */
const limitMs = 20 * 60 * 1000;

/**
 * Waits for a long-running operation.
 *
 * @returns its response; {} if it has none.
 * @throws the operation's error, worded as in the real plugin.
 */
export async function operationDone(
  client: GoogleClient,
  api: Api,
  operation: Properties,
  doing: string,
  signal: AbortSignal,
): Promise<Properties> {
  const end = Date.now() + limitMs;
  let state = operation;
  for (let look = 0; state["done"] !== true; look++) {
    if (Date.now() > end)
      throw new Error(`Error waiting for ${doing}: timeout while waiting for state to become 'done: true'`);
    if (look > 0) await client.pause(signal);
    state = await client.send({ api, method: "GET", path: text(operation, "name"), signal });
  }
  const { error, response } = state;
  if (isRecord(error)) {
    throw new Error(
      `Error waiting for ${doing}: Error code ${Number(error["code"])}, message: ${text(error, "message")}`,
    );
  }
  return isRecord(response) ? response : {};
}

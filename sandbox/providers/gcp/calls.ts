import { isRecord, type Properties, text } from "../rpc/values.ts";
import type { GoogleClient, GoogleRequest } from "./client.ts";
import type { Api } from "./settings.ts";

/** The real plugin's timeout. */
const limitMs = 20 * 60 * 1000;

export type Calls = ReturnType<typeof callsOf>;

/** The calls of one API, until the signal aborts. Paths start after the API's version. */
export function callsOf(client: GoogleClient, api: Api, signal: AbortSignal) {
  const send = (method: GoogleRequest["method"], path: string, more: Partial<GoogleRequest> = {}) =>
    client.send({ api, method, path, signal, ...more });
  type Query = Record<string, string>;
  const get = (path: string, query: Query = {}) => send("GET", path, { query });
  /** Waits between two polls. */
  const pause = (units?: number) => client.pause(signal, units);
  return {
    client,
    signal,
    get,
    pause,
    post: (path: string, body: Properties, query: Query = {}) => send("POST", path, { body, query }),
    /** A POST without a body. */
    ask: (path: string, query: Query) => send("POST", path, { query }),
    patch: (path: string, body: Properties, query: Query = {}) => send("PATCH", path, { body, query }),
    delete: (path: string) => send("DELETE", path),

    /**
     * Waits for a long-running operation.
     *
     * @returns its response; {} if it has none.
     * @throws the operation's error, worded as in the real plugin.
     */
    async done(started: Promise<Properties>, doing: string): Promise<Properties> {
      const end = Date.now() + limitMs;
      let state = await started;
      for (let look = 0; state["done"] !== true; look++) {
        if (Date.now() > end)
          throw new Error(
            `Error waiting for ${doing}: timeout while waiting for state to become 'done: true'`,
          );
        if (look > 0) await pause();
        state = await get(text(state, "name"));
      }
      const { error, response } = state;
      if (isRecord(error))
        throw new Error(
          `Error waiting for ${doing}: Error code ${Number(error["code"])}, message: ${text(error, "message")}`,
        );
      return isRecord(response) ? response : {};
    },
  };
}

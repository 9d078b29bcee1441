import { messageOf } from "../../../problems/wording.ts";
import { CreatedButFailed } from "../rpc/provider.ts";
import type { Properties } from "../rpc/values.ts";

/** Words an error as in the real plugin: `1 error occurred:` and `Error creating Repository: googleapi: Error 403: ...`. */
export async function wrapErrors<Result>(doing: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    const message = `1 error occurred:\n\t* ${doing}: ${messageOf(error)}\n\n`;
    if (error instanceof CreatedButFailed) {
      throw new CreatedButFailed(error.id, { ...error.outputs, id: error.id }, message);
    }
    throw new Error(message, { cause: error });
  }
}

/** Runs the steps after a successful create. If one fails, the resource is still recorded. */
export async function afterCreate<Result>(
  id: string,
  outputs: Properties,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw new CreatedButFailed(id, outputs, messageOf(error));
  }
}

import { messageOf } from "../../../problems/wording.ts";
import { CreatedButFailed } from "../rpc/provider.ts";
import { isRecord, type Properties, text, type Value } from "../rpc/values.ts";

/** An error answer of a Google API, worded as in Google's Go client. */
export class GoogleError extends Error {
  readonly code: number;

  constructor(
    /** The HTTP status. */
    code: number,
    message: string,
  ) {
    super(message);
    this.code = code;
  }
}

/** `googleapi: Error 403: ..., forbidden`. Omits the details. */
export function googleError(code: number, body: string): GoogleError {
  const error = errorOf(body);
  if (error === undefined) {
    return new GoogleError(
      code,
      `googleapi: got HTTP response code ${code} with body: ${body.slice(0, 1000)}`,
    );
  }
  const message = typeof error["message"] === "string" ? error["message"] : "";
  const errors = Array.isArray(error["errors"]) ? error["errors"].filter(isRecord) : [];
  let words = `googleapi: Error ${code}: ${message}`;
  const [only] = errors;
  if (errors.length === 1 && only?.["message"] === message) words += `, ${text(only, "reason")}`;
  return new GoogleError(code, words);
}

function errorOf(body: string): Record<string, Value> | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const error = isRecord(parsed) ? parsed["error"] : undefined;
    return isRecord(error) ? error : undefined;
  } catch {
    return undefined;
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof GoogleError && error.code === 404;
}

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

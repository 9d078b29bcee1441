import { isRecord, text, type Value } from "../rpc/values.ts";

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

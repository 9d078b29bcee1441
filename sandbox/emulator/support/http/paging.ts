import { invalidArgument } from "./errors.ts";

/**
 * One page of a list: `{[key]: items, nextPageToken?}`. As at Google, an empty page omits the list.
 *
 * @param limit the largest page size.
 * @throws ApiError 400 for an invalid page size or token.
 */
export function page(
  key: string,
  items: unknown[],
  query: URLSearchParams,
  limit = 1000,
): Record<string, unknown> {
  const requested = Number(query.get("pageSize") ?? query.get("page_size") ?? 0);
  if (!Number.isInteger(requested) || requested < 0)
    throw invalidArgument("page_size must not be negative", "page_size");
  const size = Math.min(requested === 0 ? limit : requested, limit);
  const token = query.get("pageToken") ?? query.get("page_token") ?? "";
  const start = token === "" ? 0 : Number(Buffer.from(token, "base64url").toString());
  if (!Number.isInteger(start) || start < 0) throw invalidArgument("invalid page token", "page_token");
  const some = items.slice(start, start + size);
  const next = start + size;
  return {
    ...(some.length > 0 && { [key]: some }),
    ...(next < items.length && { nextPageToken: Buffer.from(String(next)).toString("base64url") }),
  };
}

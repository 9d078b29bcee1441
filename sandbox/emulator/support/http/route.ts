import type { z } from "zod";
import type { Caller } from "../../../lib/tokens.ts";
import type { Context } from "../context.ts";

/** Values of a route's `{placeholders}`, decoded; a project's number is replaced by its id. */
export type Params = Record<string, string>;

/** A request that has passed all checks. */
interface Call<B> {
  context: Context;
  params: Params;
  query: URLSearchParams;
  body: B;
  caller: Caller;
}

/** One method of an API. */
export interface Route<B = unknown> {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Such as `v1/projects/{project}/services/{service}:enable`; `{name*}` may hold colons. */
  path: string;
  /** The API, which must be enabled in the project: `artifactregistry.googleapis.com`. */
  service: string;
  /** What the caller needs; undefined where any caller with a token may ask. */
  permission: string | undefined;
  /** The resource (`projects/ID/...`) whose policy decides; by default the project. */
  resource?: (params: Params, context: Context) => string;
  /** The body's shape; a route without one takes no body or an empty one. */
  body?: z.ZodType<B>;
  /** The answer, or a thrown `ApiError`. */
  handle(call: Call<B>): object | Promise<object>;
}

/** A route that answers by itself: no access token, no API to enable (token endpoints, health). */
export interface OpenRoute {
  method: Route["method"];
  path: string;
  open(request: Request, context: Context, params: Params): Response | Promise<Response>;
}

type Handle<B> = Route<B>["handle"];

/** In place of a permission: whoever has a token may ask. */
export const ANY_CALLER = undefined;

/** The methods of one API, as {@link methodsOf} gives them. */
export type Methods = ReturnType<typeof methodsOf>;

/**
 * The methods of one API (or of what of it has policies of its own: `resource`), each by its path, by what the caller
 * needs for it and, where it takes one, by the shape of its body.
 */
export function methodsOf(service: string, resource?: Route["resource"]) {
  const common = { service, ...(resource && { resource }) };
  const plain =
    (method: Route["method"]) =>
    (path: string, permission: string | undefined, handle: Handle<unknown>): Route => ({
      ...common,
      method,
      path,
      permission,
      handle,
    });
  const withBody =
    (method: Route["method"]) =>
    <B>(path: string, permission: string | undefined, body: z.ZodType<B>, handle: Handle<B>): Route => {
      const route: Route<B> = { ...common, method, path, permission, body, handle };
      return route;
    };
  return { get: plain("GET"), delete: plain("DELETE"), post: withBody("POST"), patch: withBody("PATCH") };
}

/** A template made into an expression over the undecoded path. */
export function templatePattern(path: string): RegExp {
  const source = path
    .split(/(\{[a-z]+\*?\})/i)
    .map((part) => {
      const name = /^\{([a-z]+)(\*?)\}$/i.exec(part);
      if (!name?.[1]) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      return `(?<${name[1]}>${name[2] === "*" ? "[^/]+" : "[^/:]+"})`;
    })
    .join("");
  return new RegExp(`^/${source}$`);
}

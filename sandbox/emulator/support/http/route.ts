import type { z } from "zod";
import type { Caller } from "../../../lib/tokens.ts";
import type { Context } from "../context.ts";

/** Decoded values of a route's `{placeholders}`. `project` is always the id, never the number. */
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
  /** A template: `v1/projects/{project}/services/{service}:enable`. A `{name*}` matches colons too. */
  path: string;
  /** The API, which must be enabled in the project: `artifactregistry.googleapis.com`. */
  service: string;
  /** The required permission; undefined if a valid token is enough. */
  permission: string | undefined;
  /** The resource (`projects/ID/...`) whose policy is checked. Default: the project. */
  resource?: (params: Params, context: Context) => string;
  body?: z.ZodType<B>;
  /** @throws ApiError */
  handle(call: Call<B>): object | Promise<object>;
}

/** A route that needs no access token and no enabled API: token endpoints, health. */
export interface OpenRoute {
  method: Route["method"];
  path: string;
  open(request: Request, context: Context, params: Params): Response | Promise<Response>;
}

type Handle<B> = Route<B>["handle"];

/** In the place of a permission: a valid token is enough. */
export const ANY_CALLER = undefined;

export type Methods = ReturnType<typeof methodsOf>;

/** Builders of an API's routes; `resource` names the resource whose policy is checked. */
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

/**
 * The regular expression of a template, for the path before decoding. Router libraries such as Hono do not support custom
 * methods: `/:account:setIamPolicy` matches `/x:unknown` too.
 */
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

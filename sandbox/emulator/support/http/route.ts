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
  permission?: string;
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

/** Lets a route's body type follow from its schema. */
export function route<B = Record<string, never>>(definition: Route<B>): Route {
  return definition;
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

import { z } from "zod";

/** The requests that a fault affects. */
export const target = {
  /** `GET`, `POST`, ...; default any. */
  method: z.enum(["*", "GET", "POST", "PUT", "PATCH", "DELETE"]).default("*"),
  /**
   * A path, in which `*` matches anything including slashes: `/v1/projects/*:setIamPolicy`; or the route's template, as
   * `GET /sandbox/requests` shows it. Default: every path.
   */
  route: z.string().default("*"),
  /** How many matching requests pass first. Default: 0. */
  skip: z.int().min(0).default(0),
  /** How many requests it affects; 0 or null: all until it is cleared. Default: 1. */
  times: z
    .int()
    .min(0)
    .nullable()
    .default(1)
    .transform((times) => times ?? 0),
};

/** The requests to the registry that a fault affects. Default: the uploads of layers. */
const upload = {
  ...target,
  method: target.method.default("PATCH"),
  route: z.string().default("*/blobs/uploads/*"),
  /** How many bytes of the request's body still reach the registry. Default: 64 KiB. */
  afterBytes: z.int().min(0).default(65_536),
};

const STATUSES = [403, 404, 409, 429, 500, 503] as const;

/** A fault in `POST /sandbox/faults` and in the file of faults. `fault --help` prints the descriptions. */
export const faultSchema = z.discriminatedUnion("kind", [
  z
    .strictObject({
      ...target,
      kind: z.literal("status"),
      status: z.union(STATUSES.map((status) => z.literal(status))),
      after: z.boolean().default(false),
    })
    .describe("answer with the error `status`; with `after=true`, carry the request out first"),
  z
    .strictObject({ ...target, kind: z.literal("delay"), milliseconds: z.int().min(0).max(600_000) })
    .describe("answer `milliseconds` late"),
  z
    .strictObject({
      ...target,
      kind: z.literal("conflict"),
      route: z.string().default("*:setIamPolicy"),
      role: z.string().default("roles/artifactregistry.reader"),
      member: z.string().default("user:other-editor@example.com"),
    })
    .describe("another editor changes the IAM policy between a read and a write, whose etag is then stale"),
  z
    .strictObject({
      ...target,
      kind: z.literal("operation-error"),
      code: z
        .enum(["INTERNAL", "UNAVAILABLE", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"])
        .default("INTERNAL"),
      message: z.string().default("An internal error has occurred."),
    })
    .describe("the long-running operation changes nothing and ends in an error"),
  z
    .strictObject({
      ...target,
      kind: z.literal("operation-pending"),
      method: target.method.default("GET"),
      route: z.string().default("*operations/*"),
    })
    .describe("the long-running operation is not done at the first poll"),
  z
    .strictObject({ kind: z.literal("iam-spreading"), seconds: z.number().min(0) })
    .describe("a changed IAM policy takes effect after `seconds`"),
  z
    .strictObject({ kind: z.literal("clock-skew"), seconds: z.number() })
    .describe("the clock by which the emulated APIs check and sign tokens is off by `seconds`"),
  z
    .strictObject({
      ...upload,
      kind: z.literal("registry-status"),
      status: z.int().min(400).max(599).default(500),
    })
    .describe("the registry answers an upload with `status` (default 500) after `afterBytes` of it"),
  z
    .strictObject({ ...upload, kind: z.literal("registry-cut") })
    .describe("the connection to the registry is cut after `afterBytes` of an upload"),
]);

export type Fault = z.infer<typeof faultSchema>;

/** A fault of requests to the registry. */
export type RegistryFault = Extract<Fault, { kind: `registry-${string}` }>;

/** A fault of requests to the emulated APIs. */
export type RequestFault = Exclude<Extract<Fault, { route: string }>, RegistryFault>;

export function isRegistryFault(fault: Fault): fault is RegistryFault {
  return fault.kind === "registry-status" || fault.kind === "registry-cut";
}

export function isRequestFault(fault: Fault): fault is RequestFault {
  return "route" in fault && !isRegistryFault(fault);
}

import { randomUUID } from "node:crypto";
import { z } from "zod";

/** Which requests a fault hits. */
const target = {
  /** Names the fault in lists; made up where it is left out. */
  id: z.string().default(() => randomUUID().slice(0, 8)),
  /** `GET`, `POST`, ...; default any. */
  method: z.enum(["*", "GET", "POST", "PUT", "PATCH", "DELETE"]).default("*"),
  /**
   * The path, where `*` stands for anything, slashes too: `/v1/projects/*:setIamPolicy`. Also the route's
   * template with its placeholders, as `GET /sandbox/requests` shows it. Default: every path.
   */
  route: z.string().default("*"),
  /** How many matching requests pass before it begins. Default 0. */
  skip: z.int().min(0).default(0),
  /** How many requests it hits before it is over; 0 or null: until it is cleared. Default 1. */
  times: z
    .int()
    .min(0)
    .nullable()
    .default(1)
    .transform((times) => times ?? 0),
};

/** Which requests to the registry a fault hits: by default those that carry the bytes of a layer. */
const upload = {
  ...target,
  method: target.method.default("PATCH"),
  route: z.string().default("*/blobs/uploads/*"),
  /** How much of the request's body the registry still gets, in bytes. Default 64 KiB. */
  afterBytes: z.int().min(0).default(65_536),
};

const STATUSES = [403, 404, 409, 429, 500, 503] as const;

/** A fault as the route `POST /sandbox/faults` takes it and the file keeps it. */
export const faultSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    ...target,
    /** Answers with an error. */
    kind: z.literal("status"),
    status: z.union(STATUSES.map((status) => z.literal(status))),
    /** Carries the request out all the same: the answer is lost, the change is not. Default false. */
    after: z.boolean().default(false),
    /** `Retry-After` of the answer, in seconds. */
    retryAfterSeconds: z.int().min(0).optional(),
  }),
  /** Answers late. */
  z.strictObject({ ...target, kind: z.literal("delay"), milliseconds: z.int().min(0).max(600_000) }),
  z.strictObject({
    ...target,
    /** Somebody else edits the policy just before a `:setIamPolicy`, whose etag is stale then. */
    kind: z.literal("conflict"),
    route: z.string().default("*:setIamPolicy"),
    role: z.string().default("roles/artifactregistry.reader"),
    member: z.string().default("user:other-editor@example.com"),
  }),
  z.strictObject({
    ...target,
    /** Answers an operation that changes nothing and ends in an error once it is asked for again. */
    kind: z.literal("operation-error"),
    code: z
      .enum(["INTERNAL", "UNAVAILABLE", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"])
      .default("INTERNAL"),
    message: z.string().default("An internal error has occurred."),
  }),
  /** An operation that is asked for is not done yet; it is once it is asked for again. */
  z.strictObject({
    ...target,
    kind: z.literal("operation-pending"),
    method: target.method.default("GET"),
    route: z.string().default("*operations/*"),
  }),
  /** A changed IAM policy is in force only after a time; until it is cleared. */
  z.strictObject({ id: target.id, kind: z.literal("iam-spreading"), seconds: z.number().min(0) }),
  /** The emulated APIs' clock is off: they judge tokens, and sign the registry's, at that time. */
  z.strictObject({ id: target.id, kind: z.literal("clock-skew"), seconds: z.number() }),
  /** The registry answers with an error in the middle of an upload. */
  z.strictObject({
    ...upload,
    kind: z.literal("registry-status"),
    status: z.int().min(400).max(599).default(500),
  }),
  /** The connection to the registry is cut in the middle of an upload. */
  z.strictObject({ ...upload, kind: z.literal("registry-cut") }),
]);

/** Something that goes wrong on purpose. */
export type Fault = z.infer<typeof faultSchema>;

/** A fault that hits single requests to the registry. */
export type RegistryFault = Extract<Fault, { kind: `registry-${string}` }>;

/** A fault that hits single requests to the emulated APIs. */
export type RequestFault = Exclude<Extract<Fault, { route: string }>, RegistryFault>;

export function isRegistryFault(fault: Fault): fault is RegistryFault {
  return fault.kind === "registry-status" || fault.kind === "registry-cut";
}

export function isRequestFault(fault: Fault): fault is RequestFault {
  return "route" in fault && !isRegistryFault(fault);
}

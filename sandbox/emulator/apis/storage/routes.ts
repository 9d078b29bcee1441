import { createHash } from "node:crypto";
import { z } from "zod";
import type { Caller } from "../../../lib/tokens.ts";
import { AnswerError, ApiError } from "../../support/http/errors.ts";
import { parseBody } from "../../support/http/body.ts";
import { authenticate, requireService } from "../../support/http/router.ts";
import type { OpenRoute } from "../../support/http/route.ts";
import { holdsPermission, isAllowed } from "../../support/policies/access.ts";
import { getPolicy, setPolicy, setPolicyBody } from "../../support/policies/policies.ts";
import { findProject } from "../../support/projects.ts";
import type { Bucket, Policy } from "../../support/resources.ts";
import type { Context } from "../../support/context.ts";

const service = "storage.googleapis.com";
const BUCKETS = "storage/v1/b";

/** An error answer of the JSON API (https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes). */
class StorageError extends AnswerError {
  readonly httpStatus: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.httpStatus = status;
    this.reason = reason;
  }

  toJSON(): object {
    const { httpStatus: code, message, reason } = this;
    return { error: { code, message, errors: [{ message, domain: "global", reason }] } };
  }
}

/** The name that a bucket's policy is stored under. */
function bucketResource(name: string, { projectId }: Bucket): string {
  return `projects/${projectId}/buckets/${name}`;
}

function existing(context: Context, name: string): Bucket {
  const bucket = context.store.state.buckets[name];
  if (!bucket) throw new StorageError(404, "notFound", "The specified bucket does not exist.");
  const project = findProject(context, bucket.projectId);
  if (project) requireService(project, service);
  return bucket;
}

/**
 * Finds a bucket.
 * @throws StorageError if it does not exist, or the caller lacks the permission.
 */
function bucketFor(context: Context, caller: Caller, name: string, permission: string): Bucket {
  const bucket = existing(context, name);
  if (isAllowed(context, caller, permission, bucketResource(name, bucket))) return bucket;
  throw forbidden(caller, permission, "Google Cloud Storage bucket");
}

export function forbidden({ principal }: Caller, permission: string, what: string): StorageError {
  const who = principal.replace(/^\w+:/, "");
  return new StorageError(
    403,
    "forbidden",
    `${who} does not have ${permission} access to the ${what}. Permission '${permission}' denied on resource (or it may not exist).`,
  );
}

const bucketBody = z.object({
  name: z.string().optional(),
  location: z.string().optional(),
  versioning: z.object({ enabled: z.boolean() }).optional(),
  iamConfiguration: z
    .object({
      uniformBucketLevelAccess: z.object({ enabled: z.boolean() }).optional(),
      publicAccessPrevention: z.enum(["inherited", "enforced"]).optional(),
    })
    .optional(),
});

type BucketBody = z.infer<typeof bucketBody>;

function changed(bucket: Bucket, { versioning, iamConfiguration = {} }: BucketBody): Bucket {
  const { uniformBucketLevelAccess, publicAccessPrevention } = iamConfiguration;
  return {
    ...bucket,
    ...(versioning && { versioning }),
    ...(uniformBucketLevelAccess && { uniform: uniformBucketLevelAccess.enabled }),
    ...(publicAccessPrevention && { publicAccessPrevention }),
  };
}

function answer(context: Context, name: string, bucket: Bucket): object {
  const { projectId, location, versioning, uniform, publicAccessPrevention, createTime } = bucket;
  return {
    kind: "storage#bucket",
    id: name,
    name,
    projectNumber: findProject(context, projectId)?.projectNumber,
    location: location.toUpperCase(),
    locationType: "region",
    storageClass: "STANDARD",
    metageneration: "1",
    etag: createHash("sha1").update(JSON.stringify(bucket)).digest("base64"),
    timeCreated: createTime,
    updated: createTime,
    ...(versioning && { versioning }),
    iamConfiguration: { uniformBucketLevelAccess: { enabled: uniform }, publicAccessPrevention },
  };
}

/** The bindings of a new bucket: convenience values for the project's basic roles. */
function firstBindings(projectId: string): { role: string; members: string[] }[] {
  const owners = [`projectEditor:${projectId}`, `projectOwner:${projectId}`];
  const viewers = [`projectViewer:${projectId}`];
  return [
    { role: "roles/storage.legacyBucketOwner", members: owners },
    { role: "roles/storage.legacyBucketReader", members: viewers },
    { role: "roles/storage.legacyObjectOwner", members: owners },
    { role: "roles/storage.legacyObjectReader", members: viewers },
  ];
}

async function createBucket(request: Request, context: Context): Promise<Response> {
  const caller = await authenticate(context, request);
  const project = findProject(context, new URL(request.url).searchParams.get("project") ?? "");
  if (!project) throw new StorageError(400, "invalid", "Unknown project id.");
  requireService(project, service);
  if (!isAllowed(context, caller, "storage.buckets.create", `projects/${project.projectId}`))
    throw forbidden(caller, "storage.buckets.create", "Google Cloud project");
  const body = parseBody(bucketBody, await request.text());
  const { name = "", location = "US" } = body;
  if (context.store.state.buckets[name])
    throw new StorageError(
      409,
      "conflict",
      "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
    );
  const fresh: Bucket = {
    projectId: project.projectId,
    location,
    uniform: false,
    publicAccessPrevention: "inherited",
    createTime: context.now().toISOString(),
  };
  const bucket = changed(fresh, body);
  context.store.change(({ buckets }) => {
    buckets[name] = bucket;
  });
  setPolicy(context, bucketResource(name, bucket), { policy: { bindings: firstBindings(bucket.projectId) } });
  return Response.json(answer(context, name, bucket));
}

/** Cloud Storage answers 412 for a stale etag. */
function changePolicy(
  context: Context,
  resource: string,
  policy: Parameters<typeof setPolicy>[2]["policy"],
): Policy {
  try {
    return setPolicy(context, resource, { policy });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === "ABORTED")) throw error;
    throw new StorageError(
      412,
      "conditionNotMet",
      "At least one of the pre-conditions you specified did not hold.",
    );
  }
}

function onBucket(
  method: OpenRoute["method"],
  path: string,
  permission: string,
  handle: (context: Context, name: string, bucket: Bucket, body: string) => object,
): OpenRoute {
  return {
    method,
    path,
    open: async (request, context, params) => {
      const caller = await authenticate(context, request);
      const name = params["bucket"] ?? "";
      const bucket = bucketFor(context, caller, name, permission);
      return Response.json(handle(context, name, bucket, await request.text()));
    },
  };
}

const policyBody = setPolicyBody.shape.policy.extend({
  kind: z.string().optional(),
  resourceId: z.string().optional(),
});

/** Buckets and their policies of Cloud Storage's JSON API v1 (https://docs.cloud.google.com/storage/docs/json_api/v1). */
export const routes: OpenRoute[] = [
  { method: "POST", path: BUCKETS, open: createBucket },
  onBucket("GET", `${BUCKETS}/{bucket}`, "storage.buckets.get", answer),
  onBucket("PATCH", `${BUCKETS}/{bucket}`, "storage.buckets.update", (context, name, bucket, body) => {
    const after = changed(bucket, parseBody(bucketBody, body));
    context.store.change(({ buckets }) => {
      buckets[name] = after;
    });
    return answer(context, name, after);
  }),
  // Buckets are empty here. testing/buckets.ts adds objects.
  onBucket("GET", `${BUCKETS}/{bucket}/o`, "storage.objects.list", () => ({ kind: "storage#objects" })),
  onBucket("GET", `${BUCKETS}/{bucket}/iam`, "storage.buckets.getIamPolicy", (context, name, bucket) => ({
    kind: "storage#policy",
    resourceId: `projects/_/buckets/${name}`,
    ...getPolicy(context, bucketResource(name, bucket)),
  })),
  {
    method: "GET",
    path: `${BUCKETS}/{bucket}/iam/testPermissions`,
    open: async (request, context, params) => {
      const caller = await authenticate(context, request);
      const name = params["bucket"] ?? "";
      const bucket = existing(context, name);
      const asked = new URL(request.url).searchParams.getAll("permissions");
      const permissions = asked.filter((each) =>
        holdsPermission(context, caller, each, bucketResource(name, bucket)),
      );
      return Response.json({ kind: "storage#testIamPermissionsResponse", permissions });
    },
  },
  onBucket(
    "PUT",
    `${BUCKETS}/{bucket}/iam`,
    "storage.buckets.setIamPolicy",
    (context, name, bucket, body) => {
      const { version, etag, bindings } = parseBody(policyBody, body);
      const policy = { version, etag, bindings };
      return { kind: "storage#policy", ...changePolicy(context, bucketResource(name, bucket), policy) };
    },
  ),
];

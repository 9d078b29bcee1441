import { ApiError, type Status } from "../http/errors.ts";
import { startOperation } from "../operations.ts";
import { newEtag } from "../policies/policies.ts";
import type { Operation, Policy } from "../resources.ts";
import type { Context } from "../context.ts";
import type { RequestFault } from "./fault.ts";

const ANSWERS: Record<Extract<RequestFault, { kind: "status" }>["status"], [Status, string]> = {
  403: ["PERMISSION_DENIED", "The caller does not have permission"],
  404: ["NOT_FOUND", "Requested entity was not found."],
  409: [
    "ABORTED",
    "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
  ],
  429: [
    "RESOURCE_EXHAUSTED",
    "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service for consumer 'project_number:123456789012'.",
  ],
  500: ["INTERNAL", "Internal error encountered."],
  503: ["UNAVAILABLE", "The service is currently unavailable."],
};

function failure({ status }: Extract<RequestFault, { kind: "status" }>): Response {
  return new ApiError(...ANSWERS[status]).toResponse();
}

/** Grants a role on the resource, as another editor would between a read and a write. */
function editPolicy(
  context: Context,
  path: string,
  fault: Extract<RequestFault, { kind: "conflict" }>,
): void {
  const resource = decodeURIComponent(path.replace(/^\/v\d\//, "").replace(/:setIamPolicy$/, ""));
  const [kind = "", project = "", ...rest] = resource.split("/");
  const byNumber = Object.values(context.store.state.projects).find(
    ({ projectNumber }) => projectNumber === project,
  );
  const name = [kind, byNumber?.projectId ?? project, ...rest].join("/");
  context.store.change((state) => {
    const current: Policy = state.policies[name]?.current ?? {};
    const bindings = current.bindings ?? [];
    const others = bindings.filter(({ role }) => role !== fault.role);
    const members = bindings.find(({ role }) => role === fault.role)?.members ?? [];
    const changed = { role: fault.role, members: [...new Set([...members, fault.member])] };
    state.policies[name] = { current: { version: 1, etag: newEtag(), bindings: [...others, changed] } };
  });
}

/** An operation that fails. */
function failingOperation(
  context: Context,
  path: string,
  fault: Extract<RequestFault, { kind: "operation-error" }>,
): Response {
  const place = /^\/v\d\/(projects\/[^/]+\/locations\/[^/]+\/)/.exec(path)?.[1] ?? "";
  const error = new ApiError(fault.code, fault.message);
  return Response.json(startOperation(context, { under: `${place}operations`, error }));
}

/** The same operation, still running. */
async function pending(response: Response): Promise<Response> {
  if (!response.ok) return response;
  const body = (await response.clone().json()) as Partial<Operation>;
  if (typeof body.name !== "string" || !body.name.includes("operations/") || body.done !== true)
    return response;
  const { name, metadata } = body;
  return Response.json({ name, ...(metadata && { metadata }) });
}

/**
 * Answers a request with its faults.
 *
 * @param template path of the request's route.
 */
export async function withFaults(
  context: Context,
  request: Request,
  template: string,
  answer: () => Promise<Response>,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  const faults = context.faults.take(request.method, pathname, template);
  const hit = Object.values(faults);
  if (hit.length === 0) return answer();
  context.log(`fault: ${hit.map(({ kind }) => kind).join(", ")} on ${request.method} ${pathname}`);
  const { delay, conflict, status } = faults;
  if (delay) await new Promise((resolve) => setTimeout(resolve, delay.milliseconds));
  if (status && !status.after) return failure(status);
  if (conflict) editPolicy(context, pathname, conflict);
  if (faults["operation-error"]) return failingOperation(context, pathname, faults["operation-error"]);
  const response = await answer();
  if (status) return failure(status);
  return faults["operation-pending"] ? pending(response) : response;
}

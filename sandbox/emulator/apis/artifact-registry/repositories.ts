import { policyRoutes } from "../../support/policies/policy-routes.ts";
import { ApiError, invalidArgument, notFound } from "../../support/http/errors.ts";
import { applyMask, maskedFields } from "../../support/http/mask.ts";
import { page } from "../../support/http/paging.ts";
import type { Params, Route } from "../../support/http/route.ts";
import { timestamp } from "../../support/http/time.ts";
import { startOperation } from "../../support/operations.ts";
import type { Operation, Repository } from "../../support/resources.ts";
import type { Context } from "../../support/context.ts";
import {
  onLocation,
  locationName,
  registryPath,
  REPOSITORIES_PATH,
  REPOSITORY_PATH,
  onRepository,
  repositoryName,
} from "./names.ts";
import { type CleanupPolicy, repositoryBody, type RepositoryBody } from "../../support/repository-body.ts";

const OPERATION = "type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata";
const REPOSITORY = "type.googleapis.com/google.devtools.artifactregistry.v1.Repository";

const STANDARD = "STANDARD_REPOSITORY";

const UPDATABLE = [
  "description",
  "labels",
  "cleanupPolicies",
  "cleanupPolicyDryRun",
  "dockerConfig",
  "vulnerabilityScanningConfig",
] as const;

/** The repository of a route. @throws ApiError 404 */
export function findRepository(context: Context, params: Params): Repository {
  const found = context.store.state.repositories[repositoryName(params)];
  if (!found) throw notFound();
  return found;
}

const existingName = (context: Context, params: Params): string => findRepository(context, params).name;

/** The scanning state of a repository, which the project's API and its own setting determine. */
function scanning(context: Context, { name, createTime, vulnerabilityScanningConfig }: Repository): object {
  const enabled = context.store.state.projects[name.split("/")[1] ?? ""]?.services ?? [];
  const reason =
    vulnerabilityScanningConfig?.enablementConfig === "DISABLED"
      ? "Vulnerability scanning is disabled on this repository."
      : enabled.includes("containerscanning.googleapis.com")
        ? undefined
        : "API containerscanning.googleapis.com is not enabled.";
  return {
    ...vulnerabilityScanningConfig,
    enablementState: reason === undefined ? "SCANNING_ACTIVE" : "SCANNING_DISABLED",
    ...(reason !== undefined && { enablementStateReason: reason }),
    lastEnableTime: createTime,
  };
}

function described(context: Context, repository: Repository): object {
  const vulnerabilityScanningConfig = scanning(context, repository);
  return { ...repository, satisfiesPzi: true, vulnerabilityScanningConfig };
}

/** The response of the operation that creates a repository: it has no times. */
function created(context: Context, repository: Repository): object {
  return { ...described(context, repository), createTime: undefined, updateTime: undefined };
}

/** The answer to GET. Google omits the size of an empty repository. */
async function answer(context: Context, repository: Repository): Promise<object> {
  const path = registryPath(repository.name);
  const bytes = await context.storage.storedBytes(path);
  return {
    ...described(context, repository),
    ...(bytes > 0 && { sizeBytes: String(bytes) }),
    registryUri: `localhost:${context.registryPort}/${path}`,
  };
}

function checkLabels(labels: Record<string, string> = {}): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key))
      throw invalidArgument(`Invalid label key: "${key}"`, "labels");
    if (!/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value))
      throw invalidArgument(`Invalid value "${value}" of label "${key}"`, "labels");
  }
}

/** https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview */
const MOST_POLICIES = 10;

function checkPolicies(policies: Record<string, CleanupPolicy> = {}): void {
  const all = Object.entries(policies);
  if (all.length > MOST_POLICIES)
    throw invalidArgument(
      `A repository has at most ${MOST_POLICIES} cleanup policies, and these are ${all.length}.`,
      "cleanup_policies",
    );
  for (const [key, policy] of all) checkPolicy(key, policy);
}

function checkPolicy(key: string, policy: CleanupPolicy): void {
  const refuse = (why: string): ApiError =>
    invalidArgument(`Invalid cleanup policy "${key}": ${why}`, "cleanup_policies");
  if (policy.id !== undefined && policy.id !== "" && policy.id !== key)
    throw refuse("the map key must be the policy's id");
  if (policy.action === undefined) throw refuse("an action is required");
  if (policy.condition && policy.mostRecentVersions)
    throw refuse("condition and most_recent_versions exclude each other");
  if (!policy.condition && !policy.mostRecentVersions)
    throw refuse("condition or most_recent_versions is required");
  if (policy.mostRecentVersions && policy.action !== "KEEP")
    throw refuse("most_recent_versions goes with the action KEEP only");
}

/** The stored fields of a body. Google drops an empty `dockerConfig` and adds `id` to each policy. */
function stored(body: RepositoryBody): Partial<Repository> {
  checkLabels(body.labels);
  checkPolicies(body.cleanupPolicies);
  const enablement = body.vulnerabilityScanningConfig?.enablementConfig;
  const policies = Object.entries(body.cleanupPolicies ?? {});
  return {
    ...(body.description !== undefined && body.description !== "" && { description: body.description }),
    ...(body.labels && Object.keys(body.labels).length > 0 && { labels: body.labels }),
    ...(policies.length > 0 && {
      cleanupPolicies: Object.fromEntries(policies.map(([key, policy]) => [key, { ...policy, id: key }])),
    }),
    ...(body.cleanupPolicyDryRun === true && { cleanupPolicyDryRun: true }),
    ...(body.dockerConfig?.immutableTags === true && { dockerConfig: { immutableTags: true } }),
    ...(enablement !== undefined &&
      enablement !== "ENABLEMENT_CONFIG_UNSPECIFIED" && {
        vulnerabilityScanningConfig: { enablementConfig: enablement },
      }),
  };
}

function create(context: Context, params: Params, id: string, body: RepositoryBody): Repository {
  const name = `${locationName(params)}/repositories/${id}`;
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(id))
    throw invalidArgument(
      `Invalid repository id "${id}": it may have up to 63 lowercase letters, numbers and hyphens, begins with a letter and ends with a letter or number.`,
      "repository_id",
    );
  const { format = "FORMAT_UNSPECIFIED", mode = "MODE_UNSPECIFIED" } = body;
  if (format === "FORMAT_UNSPECIFIED")
    throw invalidArgument("Repository format must be specified.", "repository.format");
  if (format !== "DOCKER" || !["MODE_UNSPECIFIED", STANDARD].includes(mode))
    throw new ApiError(
      "UNIMPLEMENTED",
      `The sandbox supports only the format DOCKER and the mode ${STANDARD}, not ${format} and ${mode}.`,
    );
  if (context.store.state.repositories[name])
    throw new ApiError("ALREADY_EXISTS", "the repository already exists");
  const now = timestamp(context.now());
  const key = body.kmsKeyName !== undefined && body.kmsKeyName !== "" && { kmsKeyName: body.kmsKeyName };
  const times = { createTime: now, updateTime: now };
  const repository: Repository = { name, format, mode: STANDARD, ...key, ...stored(body), ...times };
  return context.store.change((state) => (state.repositories[name] = repository));
}

async function remove(context: Context, name: string): Promise<void> {
  context.store.change((state) => {
    Reflect.deleteProperty(state.repositories, name);
    Reflect.deleteProperty(state.policies, name);
  });
  await context.storage.deleteBelow(registryPath(name));
}

export function operation(context: Context, params: Params, response?: Record<string, unknown>): Operation {
  return startOperation(context, {
    under: `${locationName(params)}/operations`,
    metadata: { "@type": OPERATION },
    ...(response && { response }),
  });
}

/** Repositories of Artifact Registry v1 (https://cloud.google.com/artifact-registry/docs/reference/rest). */
export const repositories: Route[] = [
  onLocation.post(
    REPOSITORIES_PATH,
    "artifactregistry.repositories.create",
    repositoryBody,
    ({ context, params, query, body }) => {
      const id = query.get("repositoryId") ?? query.get("repository_id") ?? "";
      const repository = create(context, params, id, body);
      return operation(context, params, { "@type": REPOSITORY, ...created(context, repository) });
    },
  ),
  onLocation.get(
    REPOSITORIES_PATH,
    "artifactregistry.repositories.list",
    async ({ context, params, query }) => {
      const under = `${locationName(params)}/repositories/`;
      const all = Object.values(context.store.state.repositories).filter(({ name }) =>
        name.startsWith(under),
      );
      all.sort((a, b) => (a.name < b.name ? -1 : 1));
      return page("repositories", await Promise.all(all.map((each) => answer(context, each))), query);
    },
  ),
  onRepository.get(REPOSITORY_PATH, "artifactregistry.repositories.get", ({ context, params }) =>
    answer(context, findRepository(context, params)),
  ),
  onRepository.patch(
    REPOSITORY_PATH,
    "artifactregistry.repositories.update",
    repositoryBody,
    ({ context, params, query, body }) => {
      const repository = findRepository(context, params);
      const fields = maskedFields(query.get("updateMask") ?? query.get("update_mask"), body, UPDATABLE);
      const next = stored(body);
      context.store.change(() => {
        applyMask(repository, next, fields);
        repository.updateTime = timestamp(context.now());
      });
      return described(context, repository);
    },
  ),
  onRepository.delete(
    REPOSITORY_PATH,
    "artifactregistry.repositories.delete",
    async ({ context, params }) => {
      await remove(context, findRepository(context, params).name);
      return operation(context, params);
    },
  ),
  ...policyRoutes(onRepository, REPOSITORY_PATH, "artifactregistry.repositories", existingName, "GET"),
];

import { z } from "zod";
import { checkProvider } from "../../support/provider-rules.ts";
import { ApiError, invalidArgument, notFound } from "../../support/http/errors.ts";
import { applyMask, maskedFields } from "../../support/http/mask.ts";
import { page } from "../../support/http/paging.ts";
import { methodsOf, type Params, type Route } from "../../support/http/route.ts";
import { timestamp } from "../../support/http/time.ts";
import { startOperation } from "../../support/operations.ts";
import { projectOf } from "../../support/projects.ts";
import type { Operation, Pool, Provider } from "../../support/resources.ts";
import type { State } from "../../support/store.ts";
import type { Context } from "../../support/context.ts";

const api = methodsOf("iam.googleapis.com");
const POOLS_PATH = "v1/projects/{project}/locations/global/workloadIdentityPools";
const POOL_PATH = `${POOLS_PATH}/{pool}`;
const PROVIDER_PATH = `${POOL_PATH}/providers/{provider}`;

/** How long a deleted pool or provider can come back, and blocks its name. */
const KEPT_MILLISECONDS = 30 * 24 * 3600 * 1000;

const text = z.string("TYPE_STRING");
const common = {
  name: text.optional(),
  displayName: text.optional(),
  description: text.optional(),
  state: text.optional(),
  disabled: z.boolean("TYPE_BOOL").optional(),
  expireTime: text.optional(),
};
const poolBody = z.strictObject({ ...common, mode: text.optional() });
const providerBody = z.strictObject({
  ...common,
  attributeMapping: z.record(z.string(), text).optional(),
  attributeCondition: text.optional(),
  oidc: z
    .strictObject({
      issuerUri: text.optional(),
      allowedAudiences: z.array(text).optional(),
      jwksJson: text.optional(),
    })
    .optional(),
});

const POOL_FIELDS = ["displayName", "description", "disabled"] as const;
const PROVIDER_FIELDS = [...POOL_FIELDS, "attributeMapping", "attributeCondition", "oidc"] as const;

function poolName(context: Context, params: Params): string {
  return `projects/${projectOf(context, params).projectNumber}/locations/global/workloadIdentityPools/${params["pool"] ?? ""}`;
}

function providerName(context: Context, params: Params): string {
  return `${poolName(context, params)}/providers/${params["provider"] ?? ""}`;
}

/** Forgets what was deleted longer than 30 days ago. */
function purge(context: Context): void {
  const now = timestamp(context.now());
  const gone = (each: Pool | Provider): boolean => each.expireTime !== undefined && each.expireTime < now;
  const { pools, providers } = context.store.state;
  const names = [...Object.values(pools), ...Object.values(providers)].filter(gone).map(({ name }) => name);
  if (names.length === 0) return;
  context.store.change((state) => {
    for (const name of names)
      for (const [kind, key] of keysBelow(state, name)) Reflect.deleteProperty(state[kind], key);
  });
}

function keysBelow(state: State, name: string): ["pools" | "providers", string][] {
  return (["pools", "providers"] as const).flatMap((kind) =>
    Object.keys(state[kind])
      .filter((key) => key === name || key.startsWith(`${name}/`))
      .map((key): ["pools" | "providers", string] => [kind, key]),
  );
}

function poolOf(context: Context, params: Params): Pool {
  purge(context);
  const pool = context.store.state.pools[poolName(context, params)];
  if (!pool) throw notFound();
  return pool;
}

function providerOf(context: Context, params: Params): Provider {
  poolOf(context, params);
  const provider = context.store.state.providers[providerName(context, params)];
  if (!provider) throw notFound();
  return provider;
}

function checkId(id: string, what: string): void {
  if (!/^[a-z0-9-]{4,32}$/.test(id) || id.startsWith("gcp-"))
    throw invalidArgument(
      `Invalid ${what} "${id}": it must be 4-32 characters of [a-z0-9-], and the prefix gcp- is reserved.`,
      what,
    );
}

function checkActive(resource: Pool | Provider): void {
  if (resource.state === "DELETED")
    throw new ApiError("FAILED_PRECONDITION", `${resource.name} is deleted: undelete it first.`);
}

function operationOn(context: Context, resource: Pool | Provider): Operation {
  const type = "oidc" in resource ? "WorkloadIdentityPoolProvider" : "WorkloadIdentityPool";
  return startOperation(context, {
    under: `${resource.name}/operations`,
    metadata: { "@type": `type.googleapis.com/google.iam.v1.${type}OperationMetadata` },
    response: { "@type": `type.googleapis.com/google.iam.v1.${type}`, ...resource },
  });
}

/** A body without what is empty, for Google does not store that. */
function present<T extends object>(body: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined && value !== "" && value !== false),
  ) as { [K in keyof T]?: NonNullable<T[K]> };
}

function remove(context: Context, resource: Pool | Provider): Operation {
  checkActive(resource);
  context.store.change(() => {
    resource.state = "DELETED";
    resource.expireTime = timestamp(new Date(context.now().getTime() + KEPT_MILLISECONDS));
  });
  return operationOn(context, resource);
}

function undelete(context: Context, resource: Pool | Provider): Operation {
  if (resource.state !== "DELETED")
    throw new ApiError("FAILED_PRECONDITION", `${resource.name} is not deleted.`);
  context.store.change(() => {
    resource.state = "ACTIVE";
    delete resource.expireTime;
  });
  return operationOn(context, resource);
}

function visible<T extends Pool | Provider>(all: T[], query: URLSearchParams): T[] {
  return query.get("showDeleted") === "true" ? all : all.filter(({ state }) => state !== "DELETED");
}

const pools: Route[] = [
  api.post(POOLS_PATH, "iam.workloadIdentityPools.create", poolBody, ({ context, params, query, body }) => {
    const id = query.get("workloadIdentityPoolId") ?? "";
    checkId(id, "workload_identity_pool_id");
    purge(context);
    const name = poolName(context, { ...params, pool: id });
    if (context.store.state.pools[name])
      throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
    const { displayName, description, disabled } = body;
    const pool: Pool = { name, state: "ACTIVE", ...present({ displayName, description, disabled }) };
    context.store.change((state) => (state.pools[name] = pool));
    return operationOn(context, pool);
  }),
  api.get(POOLS_PATH, "iam.workloadIdentityPools.list", ({ context, params, query }) => {
    purge(context);
    const under = poolName(context, { ...params, pool: "" });
    const all = Object.values(context.store.state.pools).filter(({ name }) => name.startsWith(under));
    return page("workloadIdentityPools", visible(all, query), query);
  }),
  api.get(POOL_PATH, "iam.workloadIdentityPools.get", ({ context, params }) => poolOf(context, params)),
  api.get(`${POOL_PATH}:listAttestationRules`, "iam.workloadIdentityPools.get", ({ context, params }) => {
    poolOf(context, params);
    return {};
  }),
  api.patch(POOL_PATH, "iam.workloadIdentityPools.update", poolBody, ({ context, params, query, body }) => {
    const pool = poolOf(context, params);
    checkActive(pool);
    const fields = maskedFields(query.get("updateMask"), body, POOL_FIELDS);
    const { displayName, description, disabled } = body;
    context.store.change(() => {
      applyMask<Pool>(pool, present({ displayName, description, disabled }), fields);
    });
    return operationOn(context, pool);
  }),
  api.delete(POOL_PATH, "iam.workloadIdentityPools.delete", ({ context, params }) =>
    remove(context, poolOf(context, params)),
  ),
  api.post(
    `${POOL_PATH}:undelete`,
    "iam.workloadIdentityPools.undelete",
    z.strictObject({}),
    ({ context, params }) => undelete(context, poolOf(context, params)),
  ),
];

const providers: Route[] = [
  api.post(
    `${POOL_PATH}/providers`,
    "iam.workloadIdentityPoolProviders.create",
    providerBody,
    ({ context, params, query, body }) => {
      checkActive(poolOf(context, params));
      const id = query.get("workloadIdentityPoolProviderId") ?? "";
      checkId(id, "workload_identity_pool_provider_id");
      const name = providerName(context, { ...params, provider: id });
      if (context.store.state.providers[name])
        throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
      const { displayName, description, disabled, attributeMapping, attributeCondition, oidc } = body;
      const fields = present({
        displayName,
        description,
        disabled,
        attributeMapping,
        attributeCondition,
        oidc,
      });
      checkProvider(fields);
      const provider: Provider = { name, state: "ACTIVE", ...fields };
      context.store.change((state) => (state.providers[name] = provider));
      return operationOn(context, provider);
    },
  ),
  api.get(
    `${POOL_PATH}/providers`,
    "iam.workloadIdentityPoolProviders.list",
    ({ context, params, query }) => {
      const under = `${poolOf(context, params).name}/`;
      const all = Object.values(context.store.state.providers).filter(({ name }) => name.startsWith(under));
      return page("workloadIdentityPoolProviders", visible(all, query), query);
    },
  ),
  api.get(PROVIDER_PATH, "iam.workloadIdentityPoolProviders.get", ({ context, params }) =>
    providerOf(context, params),
  ),
  api.patch(
    PROVIDER_PATH,
    "iam.workloadIdentityPoolProviders.update",
    providerBody,
    ({ context, params, query, body }) => {
      const provider = providerOf(context, params);
      checkActive(provider);
      const { displayName, description, disabled, attributeMapping, attributeCondition, oidc } = body;
      const next = { ...provider };
      applyMask<Provider>(
        next,
        present({ displayName, description, disabled, attributeMapping, attributeCondition, oidc }),
        maskedFields(query.get("updateMask"), body, PROVIDER_FIELDS),
      );
      checkProvider(next);
      context.store.change((state) => (state.providers[next.name] = next));
      return operationOn(context, next);
    },
  ),
  api.delete(PROVIDER_PATH, "iam.workloadIdentityPoolProviders.delete", ({ context, params }) =>
    remove(context, providerOf(context, params)),
  ),
  api.post(
    `${PROVIDER_PATH}:undelete`,
    "iam.workloadIdentityPoolProviders.undelete",
    z.strictObject({}),
    ({ context, params }) => undelete(context, providerOf(context, params)),
  ),
];

/** Workload identity pools and their providers, of IAM v1. */
export const workloadIdentity: Route[] = [...pools, ...providers];

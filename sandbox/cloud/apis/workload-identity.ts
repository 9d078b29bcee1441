import { z } from "zod";
import { checkProvider } from "../federation/provider-rules";
import { ApiError, invalidArgument, notFound } from "../http/errors";
import { applyMask, maskedFields } from "../http/mask";
import { page } from "../http/paging";
import { type Params, route, type Route } from "../http/route";
import { timestamp } from "../http/time";
import { finishedOperation } from "../operations";
import { projectOf } from "../projects";
import type { Operation, Pool, Provider } from "../resources";
import type { State } from "../store";
import type { World } from "../world";

const service = "iam.googleapis.com";
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

function poolName(world: World, params: Params): string {
  return `projects/${projectOf(world, params).projectNumber}/locations/global/workloadIdentityPools/${params["pool"] ?? ""}`;
}

function providerName(world: World, params: Params): string {
  return `${poolName(world, params)}/providers/${params["provider"] ?? ""}`;
}

/** Forgets what was deleted longer than 30 days ago. */
function purge(world: World): void {
  const now = timestamp(world.now());
  const gone = (each: Pool | Provider): boolean => each.expireTime !== undefined && each.expireTime < now;
  const { pools, providers } = world.store.state;
  const names = [...Object.values(pools), ...Object.values(providers)].filter(gone).map(({ name }) => name);
  if (names.length === 0) return;
  world.store.change((state) => {
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

function poolOf(world: World, params: Params): Pool {
  purge(world);
  const pool = world.store.state.pools[poolName(world, params)];
  if (!pool) throw notFound();
  return pool;
}

function providerOf(world: World, params: Params): Provider {
  poolOf(world, params);
  const provider = world.store.state.providers[providerName(world, params)];
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

function done(world: World, resource: Pool | Provider): Operation {
  const type = "oidc" in resource ? "WorkloadIdentityPoolProvider" : "WorkloadIdentityPool";
  return finishedOperation(world, {
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

function remove(world: World, resource: Pool | Provider): Operation {
  checkActive(resource);
  world.store.change(() => {
    resource.state = "DELETED";
    resource.expireTime = timestamp(new Date(world.now().getTime() + KEPT_MILLISECONDS));
  });
  return done(world, resource);
}

function undelete(world: World, resource: Pool | Provider): Operation {
  if (resource.state !== "DELETED")
    throw new ApiError("FAILED_PRECONDITION", `${resource.name} is not deleted.`);
  world.store.change(() => {
    resource.state = "ACTIVE";
    delete resource.expireTime;
  });
  return done(world, resource);
}

function visible<T extends Pool | Provider>(all: T[], query: URLSearchParams): T[] {
  return query.get("showDeleted") === "true" ? all : all.filter(({ state }) => state !== "DELETED");
}

const pools: Route[] = [
  route({
    method: "POST",
    path: POOLS_PATH,
    service,
    permission: "iam.workloadIdentityPools.create",
    body: poolBody,
    handle: ({ world, params, query, body }) => {
      const id = query.get("workloadIdentityPoolId") ?? "";
      checkId(id, "workload_identity_pool_id");
      purge(world);
      const name = poolName(world, { ...params, pool: id });
      if (world.store.state.pools[name])
        throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
      const { displayName, description, disabled } = body;
      const pool: Pool = { name, state: "ACTIVE", ...present({ displayName, description, disabled }) };
      world.store.change((state) => (state.pools[name] = pool));
      return done(world, pool);
    },
  }),
  route({
    method: "GET",
    path: POOLS_PATH,
    service,
    permission: "iam.workloadIdentityPools.list",
    handle: ({ world, params, query }) => {
      purge(world);
      const under = poolName(world, { ...params, pool: "" });
      const all = Object.values(world.store.state.pools).filter(({ name }) => name.startsWith(under));
      return page("workloadIdentityPools", visible(all, query), query);
    },
  }),
  route({
    method: "GET",
    path: POOL_PATH,
    service,
    permission: "iam.workloadIdentityPools.get",
    handle: ({ world, params }) => poolOf(world, params),
  }),
  route({
    method: "GET",
    path: `${POOL_PATH}:listAttestationRules`,
    service,
    permission: "iam.workloadIdentityPools.get",
    handle: ({ world, params }) => {
      poolOf(world, params);
      return {};
    },
  }),
  route({
    method: "PATCH",
    path: POOL_PATH,
    service,
    permission: "iam.workloadIdentityPools.update",
    body: poolBody,
    handle: ({ world, params, query, body }) => {
      const pool = poolOf(world, params);
      checkActive(pool);
      const fields = maskedFields(query.get("updateMask"), body, POOL_FIELDS);
      const { displayName, description, disabled } = body;
      world.store.change(() => {
        applyMask<Pool>(pool, present({ displayName, description, disabled }), fields);
      });
      return done(world, pool);
    },
  }),
  route({
    method: "DELETE",
    path: POOL_PATH,
    service,
    permission: "iam.workloadIdentityPools.delete",
    handle: ({ world, params }) => remove(world, poolOf(world, params)),
  }),
  route({
    method: "POST",
    path: `${POOL_PATH}:undelete`,
    service,
    permission: "iam.workloadIdentityPools.undelete",
    body: z.strictObject({}),
    handle: ({ world, params }) => undelete(world, poolOf(world, params)),
  }),
];

const providers: Route[] = [
  route({
    method: "POST",
    path: `${POOL_PATH}/providers`,
    service,
    permission: "iam.workloadIdentityPoolProviders.create",
    body: providerBody,
    handle: ({ world, params, query, body }) => {
      checkActive(poolOf(world, params));
      const id = query.get("workloadIdentityPoolProviderId") ?? "";
      checkId(id, "workload_identity_pool_provider_id");
      const name = providerName(world, { ...params, provider: id });
      if (world.store.state.providers[name])
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
      world.store.change((state) => (state.providers[name] = provider));
      return done(world, provider);
    },
  }),
  route({
    method: "GET",
    path: `${POOL_PATH}/providers`,
    service,
    permission: "iam.workloadIdentityPoolProviders.list",
    handle: ({ world, params, query }) => {
      const under = `${poolOf(world, params).name}/`;
      const all = Object.values(world.store.state.providers).filter(({ name }) => name.startsWith(under));
      return page("workloadIdentityPoolProviders", visible(all, query), query);
    },
  }),
  route({
    method: "GET",
    path: PROVIDER_PATH,
    service,
    permission: "iam.workloadIdentityPoolProviders.get",
    handle: ({ world, params }) => providerOf(world, params),
  }),
  route({
    method: "PATCH",
    path: PROVIDER_PATH,
    service,
    permission: "iam.workloadIdentityPoolProviders.update",
    body: providerBody,
    handle: ({ world, params, query, body }) => {
      const provider = providerOf(world, params);
      checkActive(provider);
      const { displayName, description, disabled, attributeMapping, attributeCondition, oidc } = body;
      const next = { ...provider };
      applyMask<Provider>(
        next,
        present({ displayName, description, disabled, attributeMapping, attributeCondition, oidc }),
        maskedFields(query.get("updateMask"), body, PROVIDER_FIELDS),
      );
      checkProvider(next);
      world.store.change((state) => (state.providers[next.name] = next));
      return done(world, next);
    },
  }),
  route({
    method: "DELETE",
    path: PROVIDER_PATH,
    service,
    permission: "iam.workloadIdentityPoolProviders.delete",
    handle: ({ world, params }) => remove(world, providerOf(world, params)),
  }),
  route({
    method: "POST",
    path: `${PROVIDER_PATH}:undelete`,
    service,
    permission: "iam.workloadIdentityPoolProviders.undelete",
    body: z.strictObject({}),
    handle: ({ world, params }) => undelete(world, providerOf(world, params)),
  }),
];

/** Workload identity pools and their providers, of IAM v1. */
export const workloadIdentity: Route[] = [...pools, ...providers];

import { z } from "zod";
import { bool, noFields, optionalTexts, text } from "../../support/http/body.ts";
import { ApiError, invalidArgument, notFound } from "../../support/http/errors.ts";
import { applyMask, given, maskedFields } from "../../support/http/mask.ts";
import { page } from "../../support/http/paging.ts";
import { methodsOf, type Params, type Route } from "../../support/http/route.ts";
import { timestamp } from "../../support/http/time.ts";
import { startOperation } from "../../support/operations.ts";
import { projectOf } from "../../support/projects.ts";
import type { Operation, Provider } from "../../support/resources.ts";
import type { Context } from "../../support/context.ts";

const api = methodsOf("iam.googleapis.com");

/** How long a deleted pool or provider can be undeleted, and its id cannot be reused. */
const KEPT_MILLISECONDS = 30 * 24 * 3600 * 1000;

const common = {
  ...optionalTexts("name", "displayName", "description", "state", "expireTime"),
  disabled: bool.optional(),
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

type Body = z.infer<typeof providerBody>;

/** Pools or providers, which share their methods. */
interface Kind {
  stored: "pools" | "providers";
  /** The name in lists and permissions. */
  name: string;
  /** Path of the list. */
  path: string;
  /** The placeholder of the id in paths. */
  placeholder: string;
  parent?: Kind;
  body: z.ZodType<Body>;
  /** Fields that a create sets and an update can change. */
  fields: readonly Exclude<keyof Provider, "name" | "state" | "expireTime">[];
  /** Imports the check on first use, because the CEL library loads slowly. */
  check?: () => Promise<(context: Context, resource: Provider) => void>;
}

const POOLS: Kind = {
  stored: "pools",
  name: "workloadIdentityPools",
  path: "v1/projects/{project}/locations/global/workloadIdentityPools",
  placeholder: "pool",
  body: poolBody,
  fields: ["displayName", "description", "disabled"],
};

const PROVIDERS: Kind = {
  stored: "providers",
  name: "workloadIdentityPoolProviders",
  path: `${POOLS.path}/{pool}/providers`,
  placeholder: "provider",
  parent: POOLS,
  body: providerBody,
  fields: [...POOLS.fields, "attributeMapping", "attributeCondition", "oidc"],
  check: async () => (await import("../../support/provider-rules.ts")).checkProvider,
};

/** The full name, with the project's number. */
function nameOf(context: Context, { path, placeholder }: Kind, params: Params): string {
  const numbered: Params = { ...params, project: projectOf(context, params).projectNumber };
  return `${path}/{${placeholder}}`
    .replace("v1/", "")
    .replace(/\{(\w+)\}/g, (_, key: string) => numbered[key] ?? "");
}

/** Removes what was deleted more than 30 days ago. */
function purge(context: Context): void {
  const now = timestamp(context.now());
  const gone = (each: Provider): boolean => each.expireTime !== undefined && each.expireTime < now;
  const { pools, providers } = context.store.state;
  const names = [...Object.values(pools), ...Object.values(providers)].filter(gone).map(({ name }) => name);
  if (names.length === 0) return;
  const isGone = (key: string): boolean => names.some((name) => key === name || key.startsWith(`${name}/`));
  context.store.change((state) => {
    for (const stored of [state.pools, state.providers])
      for (const key of Object.keys(stored).filter(isGone)) Reflect.deleteProperty(stored, key);
  });
}

/** @throws ApiError 404 */
function find(context: Context, kind: Kind, params: Params): Provider {
  purge(context);
  if (kind.parent) find(context, kind.parent, params);
  const found = context.store.state[kind.stored][nameOf(context, kind, params)];
  if (!found) throw notFound();
  return found;
}

/** @throws ApiError 400 */
function checkId(id: string, parameter: string): void {
  const what = parameter.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (!/^[a-z0-9-]{4,32}$/.test(id) || id.startsWith("gcp-"))
    throw invalidArgument(
      `Invalid ${what} "${id}": it must be 4-32 characters of [a-z0-9-], and the prefix gcp- is reserved.`,
      what,
    );
}

function checkActive(resource: Provider): void {
  if (resource.state === "DELETED")
    throw new ApiError("FAILED_PRECONDITION", `${resource.name} is deleted: undelete it first.`);
}

function operationOn(context: Context, resource: Provider): Operation {
  const type = "oidc" in resource ? "WorkloadIdentityPoolProvider" : "WorkloadIdentityPool";
  return startOperation(context, {
    under: `${resource.name}/operations`,
    metadata: { "@type": `type.googleapis.com/google.iam.v1.${type}OperationMetadata` },
    response: { "@type": `type.googleapis.com/google.iam.v1.${type}`, ...resource },
  });
}

function routesOf(kind: Kind): Route[] {
  const one = `${kind.path}/{${kind.placeholder}}`;
  const permission = (verb: string): string => `iam.${kind.name}.${verb}`;
  return [
    api.post(kind.path, permission("create"), kind.body, async ({ context, params, query, body }) => {
      const check = await kind.check?.();
      purge(context);
      if (kind.parent) checkActive(find(context, kind.parent, params));
      const idParameter = `${kind.name.slice(0, -1)}Id`;
      const id = query.get(idParameter) ?? "";
      checkId(id, idParameter);
      const name = nameOf(context, kind, { ...params, [kind.placeholder]: id });
      if (context.store.state[kind.stored][name])
        throw new ApiError("ALREADY_EXISTS", "Requested entity already exists");
      const made: Provider = { name, state: "ACTIVE", ...given(body, kind.fields) };
      check?.(context, made);
      context.store.change((state) => (state[kind.stored][name] = made));
      return operationOn(context, made);
    }),
    api.get(kind.path, permission("list"), ({ context, params, query }) => {
      purge(context);
      if (kind.parent) find(context, kind.parent, params);
      const under = nameOf(context, kind, { ...params, [kind.placeholder]: "" });
      const visible = Object.values(context.store.state[kind.stored]).filter(
        ({ name, state }) =>
          name.startsWith(under) && (state !== "DELETED" || query.get("showDeleted") === "true"),
      );
      return page(kind.name, visible, query);
    }),
    api.get(one, permission("get"), ({ context, params }) => find(context, kind, params)),
    api.patch(one, permission("update"), kind.body, async ({ context, params, query, body }) => {
      const check = await kind.check?.();
      const next = { ...find(context, kind, params) };
      checkActive(next);
      const fields = maskedFields(query.get("updateMask"), body, kind.fields);
      applyMask<Provider>(next, given(body, kind.fields), fields);
      check?.(context, next);
      context.store.change((state) => (state[kind.stored][next.name] = next));
      return operationOn(context, next);
    }),
    api.delete(one, permission("delete"), ({ context, params }) => {
      const resource = find(context, kind, params);
      checkActive(resource);
      context.store.change(() => {
        resource.state = "DELETED";
        resource.expireTime = timestamp(new Date(context.now().getTime() + KEPT_MILLISECONDS));
      });
      return operationOn(context, resource);
    }),
    api.post(`${one}:undelete`, permission("undelete"), noFields, ({ context, params }) => {
      const resource = find(context, kind, params);
      if (resource.state !== "DELETED")
        throw new ApiError("FAILED_PRECONDITION", `${resource.name} is not deleted.`);
      context.store.change(() => {
        resource.state = "ACTIVE";
        delete resource.expireTime;
      });
      return operationOn(context, resource);
    }),
  ];
}

/** Workload identity pools and providers of IAM v1. */
export const workloadIdentity: Route[] = [
  ...routesOf(POOLS),
  ...routesOf(PROVIDERS),
  api.get(
    `${POOLS.path}/{pool}:listAttestationRules`,
    "iam.workloadIdentityPools.get",
    ({ context, params }) => {
      find(context, POOLS, params);
      return {};
    },
  ),
];

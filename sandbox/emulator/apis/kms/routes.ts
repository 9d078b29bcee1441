import { z } from "zod";
import { noFields, text } from "../../support/http/body.ts";
import { ApiError, notFound } from "../../support/http/errors.ts";
import { given } from "../../support/http/mask.ts";
import { methodsOf, type Params, type Route } from "../../support/http/route.ts";
import { timestamp } from "../../support/http/time.ts";
import { policyRoutes } from "../../support/policies/policy-routes.ts";
import type { CryptoKey } from "../../support/resources.ts";
import type { Context } from "../../support/context.ts";

const api = methodsOf("cloudkms.googleapis.com");
const RINGS = "v1/projects/{project}/locations/{location}/keyRings";
const KEYS = `${RINGS}/{ring}/cryptoKeys`;

const keyBody = z.strictObject({
  purpose: text,
  nextRotationTime: text.optional(),
  rotationPeriod: text.optional(),
  versionTemplate: z.strictObject({ algorithm: text, protectionLevel: text }).optional(),
});

const locationOf = ({ project = "", location = "" }: Params): string =>
  `projects/${project}/locations/${location}`;
const ringOf = (params: Params, ring = params["ring"] ?? ""): string =>
  `${locationOf(params)}/keyRings/${ring}`;
const keyOf = (params: Params): string => `${ringOf(params)}/cryptoKeys/${params["key"] ?? ""}`;

/** @throws ApiError 400 (https://docs.cloud.google.com/kms/docs/resource-hierarchy#retrieve_resource_id). */
function checkId(id: string | null): string {
  if (id !== null && /^[A-Za-z0-9_-]{1,63}$/.test(id)) return id;
  throw new ApiError("INVALID_ARGUMENT", "The request has errors: the id must match [a-zA-Z0-9_-]{1,63}.");
}

function ringExists(context: Context, name: string): string {
  if (name in context.store.state.keyRings) return name;
  throw notFound(`KeyRing ${name} not found.`);
}

function key(context: Context, name: string): CryptoKey {
  const found = context.store.state.cryptoKeys[name];
  if (found) return found;
  throw notFound(`CryptoKey ${name} not found.`);
}

function refuseExisting(taken: boolean, kind: string, name: string): void {
  if (taken) throw new ApiError("ALREADY_EXISTS", `${kind} ${name} already exists.`);
}

const keyName = (context: Context, params: Params): string => key(context, keyOf(params)).name;

/** Key rings, keys and policies of Cloud KMS v1, without encryption (https://docs.cloud.google.com/kms/docs/reference/rest). */
export const routes: Route[] = [
  api.post(RINGS, "cloudkms.keyRings.create", noFields, ({ context, params, query }) => {
    const name = ringOf(params, checkId(query.get("keyRingId")));
    refuseExisting(name in context.store.state.keyRings, "KeyRing", name);
    const createTime = timestamp(context.now());
    context.store.change(({ keyRings }) => {
      keyRings[name] = createTime;
    });
    return { name, createTime };
  }),
  api.get(`${RINGS}/{ring}`, "cloudkms.keyRings.get", ({ context, params }) => {
    const name = ringExists(context, ringOf(params));
    return { name, createTime: context.store.state.keyRings[name] };
  }),
  api.post(KEYS, "cloudkms.cryptoKeys.create", keyBody, ({ context, params, query, body }) => {
    ringExists(context, ringOf(params));
    const name = keyOf({ ...params, key: checkId(query.get("cryptoKeyId")) });
    refuseExisting(name in context.store.state.cryptoKeys, "CryptoKey", name);
    const made: CryptoKey = {
      name,
      purpose: body.purpose,
      ...given(body, ["nextRotationTime", "rotationPeriod"]),
      createTime: timestamp(context.now()),
    };
    return context.store.change((state) => (state.cryptoKeys[name] = made));
  }),
  api.get(`${KEYS}/{key}`, "cloudkms.cryptoKeys.get", ({ context, params }) => key(context, keyOf(params))),
  ...policyRoutes(api, `${KEYS}/{key}`, "cloudkms.cryptoKeys", keyName, "GET"),
];

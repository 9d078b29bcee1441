import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pluginRecords } from "../../../test/sandbox/plugins/records.ts";
import type { Recorded } from "../rpc/provider.ts";
import { plainProperties, type Properties } from "../rpc/values.ts";
import { type EmulatedGoogle, startEmulatedGoogle } from "../testing/emulated-google.ts";
import { quietContext } from "../testing/support.ts";
import { account } from "./account.ts";
import type { GoogleRequest } from "./client.ts";
import { type Definition, define } from "./define.ts";
import { repositoryIamMember, serviceAccountIamMember } from "./iam-member.ts";
import { orgPolicy } from "./org-policy.ts";
import { repository } from "./repository.ts";
import { service } from "./service.ts";
import { workloadIdentityPool, workloadIdentityPoolProvider } from "./workload-identity.ts";

// The requests of a resource type, and how it handles rare answers, are in the test beside it.

const ISSUER = "https://token.actions.githubusercontent.com";
const APIS = ["artifactregistry", "iam", "orgpolicy"];
const PROVISIONED = { "goog-pulumi-provisioned": "true" };

/** In the order of creation. */
const DEFINITIONS = [
  orgPolicy,
  repository,
  account,
  workloadIdentityPool,
  workloadIdentityPoolProvider,
  serviceAccountIamMember,
  repositoryIamMember,
];

let google: EmulatedGoogle;
/** What the state would hold. */
let state: Map<Definition, Recorded>;

const on = (definition: Definition) => define(definition, () => google.client);

async function create(definition: Definition, inputs: Properties): Promise<Recorded> {
  const { id, outputs } = await on(definition).create(inputs, quietContext());
  return { id, inputs, outputs: plainProperties(outputs) };
}

/** Updates a resource to these inputs, which must be possible in place. */
async function update(definition: Definition, old: Recorded, inputs: Properties): Promise<Recorded> {
  const differences = on(definition).diff(old, inputs);
  expect(differences).not.toEqual([]);
  expect(differences.filter(({ replaces }) => replaces)).toEqual([]);
  const outputs = await on(definition).update(old, inputs, quietContext());
  return { id: old.id, inputs, outputs: plainProperties(outputs) };
}

/** Reads a resource as a refresh does, or as an import without `old`. */
async function read(definition: Definition, id: string, old?: Recorded): Promise<Recorded | undefined> {
  const found = await on(definition).read(id, old, quietContext());
  return found && { ...found, outputs: plainProperties(found.outputs) };
}

async function readExisting(definition: Definition, id: string, old?: Recorded): Promise<Recorded> {
  const found = await read(definition, id, old);
  if (found === undefined) throw new Error(`${id} does not exist`);
  return found;
}

function recorded(definition: Definition): Recorded {
  const found = state.get(definition);
  if (found === undefined) throw new Error(`no ${definition.noun} was created`);
  return found;
}

const without = (inputs: Properties, ...names: string[]): Properties =>
  Object.fromEntries(Object.entries(inputs).filter(([name]) => !names.includes(name)));

/** Sends a request to Google outside the provider. */
const send = (
  { api }: Pick<Definition, "api">,
  method: GoogleRequest["method"],
  path: string,
  more: Partial<GoogleRequest> = {},
) => google.client.send({ api, method, path, signal: quietContext().signal, ...more });

beforeEach(async () => {
  google = await startEmulatedGoogle("production-471918");
  for (const name of APIS)
    await send(service, "POST", `projects/production-471918/services/${name}.googleapis.com:enable`, {
      body: {},
    });
  state = new Map();
  for (const definition of DEFINITIONS) {
    const [record] = pluginRecords().get(definition.type) ?? [];
    // The recorded dockerConfig, which is not stored, is always a difference.
    const inputs = without(plainProperties(record?.inputs), "dockerConfig");
    state.set(definition, await create(definition, inputs));
  }
});
afterEach(() => google.stop());

/** Changed inputs, and what Google then has. */
const CHANGES: [definition: Definition, change: Properties, live: object][] = [
  [
    repository,
    {
      description: "Other images",
      labels: { team: "core" },
      cleanupPolicies: [{ id: "keep-recent", action: "KEEP", mostRecentVersions: { keepCount: 12 } }],
      cleanupPolicyDryRun: true,
      vulnerabilityScanningConfig: { enablementConfig: "DISABLED" },
    },
    {
      description: "Other images",
      labels: { team: "core", ...PROVISIONED },
      cleanupPolicies: { "keep-recent": { mostRecentVersions: { keepCount: 12 } } },
      cleanupPolicyDryRun: true,
      vulnerabilityScanningConfig: { enablementConfig: "DISABLED" },
    },
  ],
  [account, { displayName: "CI" }, { displayName: "CI" }],
  [workloadIdentityPool, { displayName: "Actions" }, { displayName: "Actions" }],
  [
    workloadIdentityPoolProvider,
    {
      attributeMapping: { "google.subject": "assertion.sub", "attribute.ref": "assertion.ref" },
      attributeCondition: "assertion.repository_id=='42'",
      oidc: { issuerUri: ISSUER, allowedAudiences: ["https://example.com"] },
    },
    {
      attributeMapping: { "google.subject": "assertion.sub", "attribute.ref": "assertion.ref" },
      attributeCondition: "assertion.repository_id=='42'",
      oidc: { issuerUri: ISSUER, allowedAudiences: ["https://example.com"] },
    },
  ],
  [
    orgPolicy,
    { spec: { rules: [{ values: { allowedValues: ["C0abc1234"] } }] } },
    { spec: { rules: [{ values: { allowedValues: ["C0abc1234"] } }] } },
  ],
];

describe("a resource that exists at Google", () => {
  it.each(DEFINITIONS)("has no difference, and a refresh finds none: $noun", async (definition) => {
    const old = recorded(definition);
    expect(on(definition).diff(old, old.inputs)).toEqual([]);
    const refreshed = await readExisting(definition, old.id, old);
    expect(refreshed.inputs).toEqual(old.inputs);
    expect(on(definition).diff(refreshed, old.inputs)).toEqual([]);
  });

  describe.each(["the state", "an import"])("and is known from %s", (source) => {
    it.each(CHANGES)("is updated in place: $noun", async (definition, change, live) => {
      const made = recorded(definition);
      const known = source === "an import" ? await readExisting(definition, made.id) : made;
      const wanted = { ...made.inputs, ...change };
      const updated = await update(definition, known, wanted);
      expect(await send(definition, "GET", made.id)).toMatchObject(live);
      expect(on(definition).diff(updated, wanted)).toEqual([]);
      expect((await readExisting(definition, made.id, updated)).outputs).toEqual(updated.outputs);
    });
  });

  it("is imported: an enabled API", async () => {
    const id = "production-471918/iam.googleapis.com";
    const inputs = { service: "iam.googleapis.com", disableOnDestroy: false };
    expect(on(service).diff(await readExisting(service, id), inputs)).toEqual([]);
  });

  it("loses the properties that the program no longer sets", async () => {
    const old = recorded(repository);
    const rest = without(old.inputs, "description", "labels");
    const updated = await update(repository, old, rest);
    const body = await send(repository, "GET", old.id);
    expect(body["description"] ?? "").toBe("");
    expect(body["labels"]).toEqual(PROVISIONED);
    expect(on(repository).diff(updated, rest)).toEqual([]);
  });

  it("keeps showing a dockerConfig that is not stored", async () => {
    const old = recorded(repository);
    const wanted = { ...old.inputs, dockerConfig: { immutableTags: false } };
    const difference = [{ path: "dockerConfig", kind: "add", replaces: false }];
    expect(on(repository).diff(await update(repository, old, wanted), wanted)).toEqual(difference);
  });

  it.each<[Definition, theirs: Properties, seen: object, after: object]>([
    [
      repository,
      { description: "Mine", labels: { other: "x" } },
      { description: "Mine", labels: {} },
      // A label from outside stays; the provider's label returns.
      { description: "Hyperion images", labels: { app: "hyperion", other: "x", ...PROVISIONED } },
    ],
    [
      workloadIdentityPool,
      { displayName: "Mine" },
      { displayName: "Mine" },
      { displayName: "GitHub Actions" },
    ],
  ])("shows changes from outside, and reverts them: $noun", async (definition, theirs, seen, after) => {
    const old = recorded(definition);
    await send(definition, "PATCH", old.id, {
      query: { updateMask: Object.keys(theirs).join(",") },
      body: theirs,
    });
    const refreshed = await readExisting(definition, old.id, old);
    expect(refreshed.outputs).toMatchObject(seen);
    expect(refreshed.outputs["labels"] ?? {}).toEqual({});
    const fixed = await update(definition, refreshed, old.inputs);
    expect(await send(definition, "GET", old.id)).toMatchObject(after);
    expect(on(definition).diff(fixed, old.inputs)).toEqual([]);
  });
});

describe("a resource that is deleted", () => {
  it("outside is missing, and can be created again: an account", async () => {
    const old = recorded(account);
    await send(account, "DELETE", old.id);
    expect(await read(account, old.id, old)).toBeUndefined();
    const again = await create(account, old.inputs);
    expect(await send(account, "GET", old.id)).toMatchObject({ displayName: "Hyperion CI" });
    expect(on(account).diff(again, old.inputs)).toEqual([]);
  });

  it("by the program is missing: each type", async () => {
    for (const definition of DEFINITIONS.toReversed()) {
      const old = recorded(definition);
      await on(definition).delete(old, quietContext());
      expect(await read(definition, old.id, old), definition.noun).toBeUndefined();
    }
    for (const definition of [repository, account, orgPolicy])
      await expect(send(definition, "GET", recorded(definition).id)).rejects.toMatchObject({ code: 404 });
    const pool = recorded(workloadIdentityPool).id;
    expect(await send(workloadIdentityPool, "GET", pool)).toMatchObject({ state: "DELETED" });
  });

  it("stays at Google: an enabled API", async () => {
    const id = "production-471918/iam.googleapis.com";
    const old = await readExisting(service, id);
    await on(service).delete(old, quietContext());
    expect(await read(service, id, old)).toEqual(old);
  });
});

import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { cloudFiles } from "../../sandbox/cloud/files";
import type { RequestCount } from "../../sandbox/cloud/faults/requests";
import { mintAccessToken } from "../../sandbox/cloud/tokens";
import { waitUntil } from "../../sandbox/services/processes";
import { type Sandbox, startSandbox } from "../sandbox/sandbox";
import { bindings, expectDeclared, mend, pluginsOf, POOLS, PROJECT, REPOSITORY } from "./declared";
import { seenIn } from "./seen";
import { survives } from "./survives";

type Route = Pick<RequestCount, "method" | "route">;

const OTHERS = "user:other-editor@example.com";
const TRANSIENT = /googleapi: Error|Google answered|Could not read/;
const AR = "v1/projects/{project}/locations/{location}/repositories";
const GLOBAL = "v1/projects/{project}/locations/global/workloadIdentityPools";

/** What answers with an operation. */
const OPERATIONS = [
  { what: "an API is enabled", method: "POST", route: "v1/projects/{project}/services/{name}:enable" },
  { what: "the repository is created", method: "POST", route: AR },
  { what: "the identity pool is created", method: "POST", route: GLOBAL },
  { what: "the provider is created", method: "POST", route: `${GLOBAL}/{pool}/providers` },
  { what: "the repository is deleted", method: "DELETE", route: `${AR}/{repository}` },
  { what: "the identity pool is deleted", method: "DELETE", route: `${GLOBAL}/{pool}` },
  { what: "the provider is deleted", method: "DELETE", route: `${GLOBAL}/{pool}/providers/{provider}` },
];

/** What Google keeps for 30 days, and refuses to delete twice. */
const DELETED_SOFTLY = OPERATIONS.filter(
  ({ method, route }) => method === "DELETE" && route.startsWith(GLOBAL),
);

/** What Google refuses to create twice. */
const CREATED_ONCE = [
  { what: "the repository", method: "POST", route: AR },
  { what: "the identity pool", method: "POST", route: GLOBAL },
  { what: "the provider", method: "POST", route: `${GLOBAL}/{pool}/providers` },
  {
    what: "the exception from the organization's policy",
    method: "POST",
    route: "v2/projects/{project}/policies",
  },
];

let sandbox: Sandbox;
let plugins: string;
/** Every route of Google's APIs that the stack asks in its life. */
let routes: Route[];

beforeAll(async () => {
  sandbox = await startSandbox();
  plugins = await pluginsOf(sandbox);
  // The back-off of the stand-ins, shortened.
  sandbox.env["HYPERION_STAND_IN_BACKOFF_MS"] = "100";
});

afterEach(() => google("DELETE", "sandbox/faults"));
afterAll(() => sandbox.stop());

describe("Google's APIs", () => {
  survives("somebody else edits the repository's policy at the same time (409)", async () => {
    await sandbox.pulumi("config", "set", "--path", "readers[0]", "user:lee@example.com");
    await fault({ kind: "conflict" });
    const next = await mend(sandbox, "up");
    expect(await faultsLeft()).toEqual([]);
    await expectDeclared(sandbox, [`roles/artifactregistry.reader ${OTHERS}`]);
    await withoutBinding(OTHERS);
    return {
      happened: "read and written again; their binding stays",
      seen: "nothing",
      next: same(next),
      plugins,
    };
  });

  survives("a binding is removed behind the stack's back", async () => {
    await withoutBinding("user:lee@example.com");
    return refreshedAndMended("the images stay", "1 created");
  });

  survives("the service account is deleted behind the stack's back", async () => {
    const email = await sandbox.output("ciServiceAccountEmail");
    await google("DELETE", `${PROJECT}/serviceAccounts/${email}`);
    const left = (await bindings(sandbox)).flatMap(({ members }) =>
      members.filter((member) => member.startsWith(`deleted:serviceAccount:${email}`)),
    );
    expect(left).toHaveLength(1);
    const others = left.map((member) => `roles/artifactregistry.reader ${member}`);
    const row = await refreshedAndMended(
      "made anew, with its grants; in the policy Google keeps an entry `deleted:...` that gives nothing",
      "2 created",
      others,
    );
    for (const member of left) await withoutBinding(member);
    return row;
  });

  survives("the repository is changed behind the stack's back", async () => {
    await google("PATCH", `${REPOSITORY}?updateMask=description,labels`, {
      description: "changed by hand",
      labels: { changed: "by-hand" },
    });
    return refreshedAndMended("changed back in place; the images stay", "1 updated");
  });

  survives("the Artifact Registry API is disabled", async () => {
    const service = `${PROJECT}/services/artifactregistry.googleapis.com`;
    await google("POST", `${service}:disable`, { disableDependentServices: true });
    await sandbox.pulumi("config", "set", "--path", "labels.round", "disabled");
    const output = await failingUp();
    await google("POST", `${service}:enable`, {});
    const refreshed = await mend(sandbox, "refresh");
    expect(refreshed).not.toMatch(/deleted|updated/);
    const row = await mended(
      "nothing is changed; the images stay",
      seenIn(output, /has not been used in project/),
    );
    return { ...row, next: `enable it, \`pulumi refresh\`, then ${row.next}` };
  });

  survives("the repository is deleted behind the stack's back", async () => {
    await google("DELETE", REPOSITORY);
    return refreshedAndMended(
      "made anew, with its grants, and every declared tag pushed again; the tag `build`, which nobody pulls, comes with the next build",
      "created",
      [],
      ["latest"],
    );
  });
});

describe("Google's APIs", () => {
  beforeAll(async () => {
    for (const [key, value] of Object.entries({
      publishImages: "false",
      githubRepository: "HyperionWave-AI/dev-squad",
      publicAccess: "true",
      overrideDomainRestrictedSharing: "true",
    }))
      await sandbox.pulumi("config", "set", key, value);
    await fresh();
    await google("DELETE", "sandbox/requests");
    await live();
    const { body } = await google("GET", "sandbox/requests");
    routes = (body as { routes: RequestCount[] }).routes;
    expect(routes.length).toBeGreaterThan(20);
  });

  for (const status of [429, 500, 503])
    survives(`each route answers ${status} once`, async () => {
      await fresh();
      for (const target of routes) await fault({ kind: "status", status }, target);
      return lived("tried again with back-off");
    });

  survives("each route answers slowly once", async () => {
    await fresh();
    for (const target of routes) await fault({ kind: "delay", milliseconds: 700 }, target);
    return lived("waited for");
  });

  survives("each operation is not done at once", async () => {
    await fresh();
    for (const target of OPERATIONS) await fault({ kind: "operation-pending" }, target);
    return lived("waited for");
  });

  survives("the answer of each change that can be repeated is lost", async () => {
    await fresh();
    const changing = routes.filter(
      ({ method, route }) =>
        method !== "GET" &&
        !route.endsWith(":getIamPolicy") &&
        ![...CREATED_ONCE, ...DELETED_SOFTLY].some((one) => isSame(one, { method, route })),
    );
    for (const target of changing) await fault({ kind: "status", status: 503, after: true }, target);
    return lived("the repeat finds it done");
  });

  for (const target of CREATED_ONCE)
    survives(`the answer is lost that ${target.what} is created`, async () => {
      await fresh();
      await fault({ kind: "status", status: 503, after: true }, target);
      const output = await failingUp();
      await sandbox.pulumi("config", "set", "adoptExisting", "true");
      const row = await mended(
        "the repeat finds it there; adopted, not made twice",
        seenIn(output, /Error 409/),
      );
      await sandbox.pulumi("config", "set", "adoptExisting", "false");
      return { ...row, next: `\`adoptExisting\`, ${row.next}` };
    });

  for (const target of DELETED_SOFTLY)
    survives(`the answer is lost that ${target.what}`, async () => {
      await fresh();
      await mend(sandbox, "up");
      await fault({ kind: "status", status: 503, after: true }, target);
      const { code, output } = await sandbox.tryPulumi("destroy", "--yes", "--skip-preview");
      expect(code, output).not.toBe(0);
      const row = await refreshedAndMended("deleted; the next `up` undeletes it", "");
      return { ...row, seen: seenIn(output, /Error 400/) };
    });

  for (const target of OPERATIONS)
    survives(`an operation ends in an error: ${target.what}`, async () => {
      await fresh();
      const deletes = target.method === "DELETE";
      if (deletes) await mend(sandbox, "up");
      await fault({ kind: "operation-error" }, target);
      const { code, output } = await sandbox.tryPulumi(deletes ? "destroy" : "up", "--yes", "--skip-preview");
      expect(code, output).not.toBe(0);
      return mended("what was done before it stays", seenIn(output, /Error waiting for/));
    });

  survives("the exception from the organization's policy is deleted behind the stack's back", async () => {
    await fresh();
    await mend(sandbox, "up");
    await google("DELETE", `v2/projects/hyperion-sandbox/policies/iam.allowedPolicyMemberDomains`);
    return refreshedAndMended("made anew", "1 created");
  });

  survives("the identity pool is deleted behind the stack's back", async () => {
    await google("DELETE", `${POOLS}/hyperion-github`);
    return refreshedAndMended("undeleted", "imported");
  });

  survives("a grant to whoever runs it has not spread yet (403)", async () => {
    // Rights on the organization's policies cannot be granted on a project.
    for (const key of ["publicAccess", "overrideDomainRestrictedSharing"])
      await sandbox.pulumi("config", "set", key, "false");
    await fresh();
    const newcomer = "user:newcomer@example.com";
    await fault({ kind: "iam-spreading", seconds: 15 });
    const policy = {
      bindings: [...(await bindings(sandbox, PROJECT, "POST")), { role: "roles/owner", members: [newcomer] }],
    };
    await google("POST", `${PROJECT}:setIamPolicy`, { policy });
    const token = sandbox.env["GOOGLE_OAUTH_ACCESS_TOKEN"];
    sandbox.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = await mintAccessToken(sandbox.root, newcomer);
    try {
      const output = await failingUp();
      const spread = async () => (await sandbox.google("GET", PROJECT, undefined, newcomer)).status === 200;
      expect(await waitUntil(spread, 60_000)).toBe(true);
      const row = await mended("nothing is changed", seenIn(output, /Error 403/));
      return { ...row, next: `minutes later ${row.next}` };
    } finally {
      sandbox.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = token;
    }
  });
});

function isSame(one: Route, other: Route): boolean {
  return one.method === other.method && one.route === other.route;
}

/** A call to the emulated Google that has to succeed. */
async function google(method: string, path: string, body?: unknown) {
  const answer = await sandbox.google(method, path, body);
  expect(answer).toMatchObject({ status: 200 });
  return answer;
}

/** Switches a fault on, for one route where it is given. */
async function fault(settings: Record<string, unknown>, target?: Route): Promise<void> {
  const where = target && { method: target.method, route: `/${target.route}` };
  await google("POST", "sandbox/faults", { ...settings, ...where });
}

async function faultsLeft(): Promise<object[]> {
  return ((await google("GET", "sandbox/faults")).body as { faults: object[] }).faults;
}

/** Takes a member out of the repository's policy, as somebody would by hand. */
async function withoutBinding(member: string): Promise<void> {
  const left = (await bindings(sandbox)).map((binding) => ({
    ...binding,
    members: binding.members.filter((one) => one !== member),
  }));
  await google("POST", `${REPOSITORY}:setIamPolicy`, {
    policy: { bindings: left.filter(({ members }) => members.length > 0) },
  });
}

async function failingUp(): Promise<string> {
  const { code, output } = await sandbox.tryPulumi("up", "--yes", "--skip-preview");
  expect(code, output).not.toBe(0);
  return output;
}

async function mended(happened: string, seen: string, others?: readonly string[], tags?: readonly string[]) {
  const next = await mend(sandbox, "up");
  await expectDeclared(sandbox, others, tags);
  return { happened, seen, next, plugins };
}

/** @param changes what the `up` after the refresh has to report. */
async function refreshedAndMended(
  happened: string,
  changes: string,
  others?: readonly string[],
  tags?: readonly string[],
) {
  const { code, output } = await sandbox.tryPulumi("refresh", "--yes", "--skip-preview");
  expect(code, output).toBe(0);
  expect(output).toMatch(/[1-9]\d* (deleted|updated)/);
  const row = await mended(happened, seenOfRefresh(output), others, tags);
  expect(row.next).toContain(changes);
  return { ...row, next: `\`pulumi refresh\`, then ${row.next}` };
}

/** What a refresh reports: "`pulumi refresh`: 1 deleted, 24 unchanged". */
function seenOfRefresh(output: string): string {
  const [, resources = ""] = output.split("\nResources:\n");
  const changes = [...resources.matchAll(/^ +[-~] (\d+ \w+)$/gm)].map(([, change]) => change);
  return `\`pulumi refresh\`: ${changes.join(", ")}`;
}

/** A Google without anything, and no stack. */
async function fresh(): Promise<void> {
  await google("DELETE", "sandbox/faults");
  await sandbox.pulumi("destroy", "--yes", "--skip-preview", "--refresh");
  await sandbox.run("fault", "cloud", "stop");
  await rm(cloudFiles(sandbox.root).state);
  await sandbox.run("fault", "cloud", "start");
  await google("PUT", "sandbox/org-policy", { mode: "deny" });
}

/** Provisions from nothing, updates, refreshes, destroys and provisions again; returns what was printed. */
async function live(): Promise<string> {
  const printed: string[] = [];
  const run = async (command: string) => {
    const { code, output } = await sandbox.tryPulumi(command, "--yes", "--skip-preview");
    expect(code, output).toBe(0);
    printed.push(output);
  };
  const set = (path: string, value: string) => sandbox.pulumi("config", "set", "--path", path, value);
  await set("labels.round", "one");
  await set("readers[0]", "user:lee@example.com");
  await set("githubRefs[0]", "refs/heads/main");
  await run("up");
  await set("labels.round", "two");
  await set("readers[0]", "user:kim@example.com");
  await set("githubRefs[0]", "refs/heads/release");
  await run("up");
  await run("refresh");
  await run("destroy");
  await run("up");
  return printed.join("\n");
}

/** A life in which every fault strikes, and nobody has to do anything. */
async function lived(happened: string) {
  const output = await live();
  expect(await faultsLeft()).toEqual([]);
  await expectDeclared(sandbox);
  const line = output.split("\n").find((each) => TRANSIENT.test(each));
  expect(line).toBeUndefined();
  return { happened, seen: line ?? "nothing", next: "none", plugins };
}

function same(next: string): string {
  return `the same ${next}`;
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import permissions from "../../docs/permissions.json" with { type: "json" };
import { type Emulator, startEmulator } from "../../sandbox/emulator/server.ts";
import { mintGithubApiToken } from "../../sandbox/emulator/support/github/tokens.ts";
import { addProject, type State } from "../../sandbox/emulator/support/store.ts";
import { endpointVariables } from "../../sandbox/lib/google-endpoints.ts";
import { writeTestKeys } from "../../sandbox/emulator/testing/keys.ts";
import { MAINTAINER, mintAccessToken } from "../../sandbox/lib/tokens.ts";
import { root } from "../../test/support/shell.ts";
import { githubClient } from "../lib/github.ts";
import { Github, PROTECTION } from "./github.ts";
import { Google } from "./google.ts";
import { NAMESPACE, settingKey } from "../../problems/setting-commands.ts";
import { carryOut, NotYet, PermissionMissing, plan, type Step, type Todo } from "./step.ts";
import { INFRASTRUCTURE, type PulumiCli } from "./stack-steps.ts";
import { stepsOf } from "./steps.ts";
import type { Stack, Wanted } from "./wanted.ts";

const PROJECT = "brand-new-project";
const REPOSITORY = "HyperionWave-AI/dev-squad";
const DANA = "user:dana@example.com";

let dir: string;
let emulator: Emulator;
let lines: string[];

beforeEach(fresh);
afterEach(end);

/** Google and GitHub with a new project. */
async function fresh(): Promise<void> {
  dir = mkdtempSync(path.join(tmpdir(), "hyperion-bootstrap-"));
  await writeTestKeys(dir);
  emulator = await startEmulator({ sandboxDir: dir, port: 0, registryPort: 1 });
  emulator.context.store.change((state) => addProject(state, PROJECT, MAINTAINER));
  const origin = emulator.url.replace(/\/$/, "");
  for (const [name, value] of Object.entries(endpointVariables(origin))) vi.stubEnv(name, value);
  vi.stubEnv("GITHUB_API_URL", `${origin}/api/v3`);
  lines = [];
}

async function end(): Promise<void> {
  await emulator.close();
  rmSync(dir, { recursive: true });
}

const tokens = new Map<string, Promise<string>>();

/** A token of Google or GitHub. Signing takes time, and all sandboxes of a process have the same keys. */
function tokenOf(
  principal: string,
  mint: (dir: string, principal: string) => Promise<string> = mintAccessToken,
): Promise<string> {
  const token = tokens.get(principal) ?? mint(dir, principal);
  tokens.set(principal, token);
  return token;
}

/** Stacks in memory; `up` makes the accounts that the program makes. */
class FakePulumi implements PulumiCli {
  readonly settings = new Map<string, Record<string, string>>();
  isUp = false;

  ask({ name }: Stack, ...args: string[]): Promise<string | undefined> {
    const settings = this.settings.get(name);
    if (settings === undefined) return Promise.resolve(undefined);
    const outputs = {
      workloadIdentityProvider: "projects/1/locations/global/workloadIdentityPools/p/providers/github",
      ciServiceAccountEmail: `hyperion-ci@${PROJECT}.iam.gserviceaccount.com`,
      previewServiceAccountEmail: `hyperion-ci-preview@${PROJECT}.iam.gserviceaccount.com`,
    };
    if (args[0] === "config")
      return Promise.resolve(
        JSON.stringify(Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, { value }]))),
      );
    if (args[0] === "preview") return Promise.resolve(this.isUp ? "" : undefined);
    return Promise.resolve(this.isUp ? JSON.stringify(outputs) : "{}");
  }

  do({ name }: Stack, ...args: string[]): Promise<void> {
    for (const word of args.filter((each) => each.includes("="))) {
      const [key = "", value = ""] = word.split("=");
      Object.assign(this.settings.get(name) ?? {}, { [key]: value });
    }
    return Promise.resolve();
  }

  init({ name }: Stack): Promise<void> {
    this.settings.set(name, {});
    return Promise.resolve();
  }

  async up(): Promise<void> {
    for (const accountId of ["hyperion-ci", "hyperion-ci-preview"])
      await fetch(`${emulator.url}v1/projects/${PROJECT}/serviceAccounts`, {
        method: "POST",
        headers: { authorization: `Bearer ${await tokenOf(MAINTAINER)}` },
        body: JSON.stringify({ accountId, serviceAccount: {} }),
      });
    this.isUp = true;
  }

  secretsProvider({ key }: Stack): string {
    return `gcpkms://${key}`;
  }
}

const WANTED: Wanted = {
  project: PROJECT,
  region: "us-central1",
  github: REPOSITORY,
  maintainers: [MAINTAINER, DANA],
  secretsProvider: undefined,
  bucket: `${PROJECT}-pulumi-state`,
  drift: true,
  ciAccountId: "hyperion-ci",
  poolId: "hyperion-github",
};

async function steps(
  pulumi: PulumiCli,
  { principal = MAINTAINER, login = "maintainer", wanted = WANTED } = {},
): Promise<Step[]> {
  const token = await tokenOf(login, () => mintGithubApiToken(dir, { login }));
  const client = await githubClient(token);
  vi.stubEnv("GOOGLE_OAUTH_ACCESS_TOKEN", await tokenOf(principal));
  return stepsOf(wanted, new Google(PROJECT, [1, 1]), new Github(REPOSITORY, client), pulumi, root);
}

const DONE = { blocked: [], left: [] };

const print = (line: string): void => {
  lines.push(line);
};

const bindings = (name: string): string[] =>
  (emulator.context.store.state.policies[name]?.current.bindings ?? [])
    .flatMap(({ role, members }) => members.map((member) => `${role} ${member}`))
    .sort();

/** The final state, without values that differ between runs. */
function outcome(pulumi: FakePulumi): unknown {
  const state: State = emulator.context.store.state;
  const plain = JSON.parse(
    JSON.stringify(
      { ...state, operations: {}, keyRings: Object.keys(state.keyRings), nextId: 0 },
      (key, value: unknown) =>
        ["etag", "createTime", "id", "uniqueId", "oauth2ClientId", "nextRotationTime"].includes(key)
          ? ""
          : value,
    ),
  ) as unknown;
  return [plain, [...pulumi.settings], pulumi.isUp];
}

it("sets up a production from nothing with the documented roles, and changes nothing in a second run", async () => {
  const pulumi = new FakePulumi();
  expect(await plan(await steps(pulumi), print)).toBeGreaterThan(8);
  expect(lines.join("\n")).not.toContain("  = bucket");
  expect(await carryOut(await steps(pulumi), print)).toEqual(DONE);

  const bucket = `projects/${PROJECT}/buckets/${WANTED.bucket}`;
  const ci = `serviceAccount:hyperion-ci@${PROJECT}.iam.gserviceaccount.com`;
  const preview = `serviceAccount:hyperion-ci-preview@${PROJECT}.iam.gserviceaccount.com`;
  const drift = `serviceAccount:hyperion-drift@${PROJECT}.iam.gserviceaccount.com`;
  const maintain = [DANA, MAINTAINER].map((member) => `roles/storage.admin ${member}`);
  expect(bindings(bucket)).toEqual([
    ...maintain,
    `roles/storage.objectViewer ${preview}`,
    `roles/storage.objectViewer ${drift}`,
  ]);
  expect(bindings(`${bucket}-images`)).toEqual([
    ...maintain,
    `roles/storage.objectUser ${ci}`,
    `roles/storage.objectViewer ${preview}`,
  ]);
  const key = `projects/${PROJECT}/locations/us-central1/keyRings/hyperion-state/cryptoKeys/pulumi-state`;
  const decrypter = "roles/cloudkms.cryptoKeyDecrypter";
  const encrypter = "roles/cloudkms.cryptoKeyEncrypterDecrypter";
  expect(bindings(key)).toEqual([
    ...[`${decrypter} ${preview}`, `${decrypter} ${drift}`],
    ...[`${encrypter} ${DANA}`, `${encrypter} ${MAINTAINER}`],
  ]);
  expect(bindings(`${key}-images`)).toContain(`${encrypter} ${ci}`);
  expect(bindings(`projects/${PROJECT}`)).toContain(
    `projects/${PROJECT}/roles/hyperionRegistryDrift ${drift}`,
  );
  expect(bindings(`projects/${PROJECT}`).filter((line) => line.includes("roles/viewer"))).toEqual([]);
  expect(pulumi.settings.get("production")).toEqual({
    "gcp:project": PROJECT,
    "gcp:region": "us-central1",
    "gcp:skipRegionValidation": "true",
    [settingKey("publishImages")]: "false",
    [settingKey("githubRepository")]: REPOSITORY,
    [settingKey("githubRepositoryId")]: "901234567",
    [settingKey("githubOwnerId")]: "123456789",
    [settingKey("ciCanPublish")]: "true",
  });
  expect(pulumi.settings.get("production-images")).toMatchObject({
    "gcp:project": PROJECT,
    [settingKey("manageRegistry")]: "false",
  });
  const github = emulator.context.store.state.github[REPOSITORY];
  expect(github?.environments["production"]?.policies.map(({ name, type }) => `${type} ${name}`)).toEqual([
    "branch main",
    "tag v*",
  ]);
  expect(github?.rulesets.map(({ target, rules }) => [target, rules.map(({ type }) => type)])).toEqual([
    ["branch", ["deletion", "non_fast_forward", "pull_request", "required_status_checks"]],
    ["tag", ["creation"]],
    ["tag", ["update", "deletion"]],
  ]);
  // A repository with one maintainer has no other person to approve.
  expect(github?.rulesets[0]?.bypass_actors).toEqual([
    { actor_id: 5, actor_type: "RepositoryRole", bypass_mode: "pull_request" },
  ]);
  expect(github?.variables).toMatchObject({
    PULUMI_IMAGES_BACKEND_URL: `gs://${WANTED.bucket}-images`,
    DRIFT_SERVICE_ACCOUNT: `hyperion-drift@${PROJECT}.iam.gserviceaccount.com`,
  });

  const before = structuredClone(emulator.context.store.state);
  expect(await plan(await steps(pulumi), print)).toBe(0);
  expect(await carryOut(await steps(pulumi), print)).toEqual(DONE);
  expect(emulator.context.store.state).toEqual(before);
}, 60_000);

class Killed extends Error {}

it("reaches the same state if runs are killed again and again", { timeout: 240_000 }, async () => {
  const whole = new FakePulumi();
  await carryOut(await steps(whole), print);
  const expected = outcome(whole);
  const count = lines.length;
  expect(count).toBeGreaterThan(40);
  await end();
  await fresh();
  const pulumi = new FakePulumi();
  // A run is killed after its fifth change.
  const limited = async (): Promise<void> => {
    let done = 0;
    await carryOut(await steps(pulumi), () => {
      lines.push("");
      done += 1;
      if (done === 5) throw new Killed();
    });
  };
  while (lines.length + 5 <= count) await expect(limited()).rejects.toThrow(Killed);
  await limited();
  // No change was made twice.
  expect(lines).toHaveLength(count);
  expect(outcome(pulumi)).toEqual(expected);
});

describe("without a permission", () => {
  const job = permissions.find((each) => each.job === "bootstrap");
  const all = job?.grants.flatMap((grant) => grant.permissions) ?? [];
  const LEE = "user:lee@example.com";

  /** Where the caller cannot read, a command of the step. */
  const COMMANDS: Readonly<Record<string, string>> = {
    "serviceusage.services.list": "gcloud services enable storage.googleapis.com",
    "storage.buckets.get": "gcloud storage buckets create gs://",
    "storage.objects.list": "gcloud storage buckets create gs://",
    "cloudkms.keyRings.get": "gcloud kms keyrings create",
    "cloudkms.cryptoKeys.get": "gcloud kms keys create",
    "iam.roles.get": "gcloud iam roles create",
    "iam.serviceAccounts.get": "gcloud iam service-accounts create",
  };

  /** Grants Lee the documented permissions, except one. */
  function allow(without?: string): void {
    emulator.context.store.change((state) => {
      const name = `projects/${PROJECT}/roles/bootstrapper`;
      state.roles[name] = { name, includedPermissions: all.filter((each) => each !== without) };
      state.policies[`projects/${PROJECT}`]?.current.bindings?.push({ role: name, members: [LEE] });
    });
  }

  it.each(all)("%s prints commands for the open changes and makes the others", async (permission) => {
    allow(permission);
    const wanted = { ...WANTED, maintainers: [DANA] };
    const pulumi = new FakePulumi();
    const undone = () => left.map(({ commands }) => commands.join());
    const blocked: string[] = [];
    const left: Pick<Todo, "commands">[] = [];
    const command = COMMANDS[permission] ?? "gcloud ";
    // The second run inspects what the first one made. Some permissions are needed only there.
    for (let run = 1; run <= 2 && !undone().some((text) => text.includes(command)); run += 1) {
      const end = await carryOut(await steps(pulumi, { principal: LEE, wanted }), print);
      blocked.push(...end.blocked);
      left.push(...end.left);
    }
    expect(lines.filter((line) => line.startsWith("- ")).join("\n")).toContain(permission);
    expect(blocked).not.toEqual([]);
    expect(undone().join("\n")).toContain(command);
    for (const commands of undone())
      expect(commands).toMatch(/^(gcloud|gh|PULUMI_BACKEND_URL=\S+ npm run pulumi --) /);
  });

  it("applies all changes with the documented permissions", async () => {
    allow();
    const wanted = { ...WANTED, maintainers: [DANA] };
    expect(await carryOut(await steps(new FakePulumi(), { principal: LEE, wanted }), print)).toEqual(DONE);
    expect(lines.filter((line) => line.startsWith("- "))).toEqual([]);
  });

  it("at GitHub applies no infrastructure, and nothing can publish", async () => {
    const pulumi = new FakePulumi();
    const { left } = await carryOut(await steps(pulumi, { login: "dana" }), print);
    expect(left[0]?.commands.join()).toMatch(/^gh api --method PUT repos\/HyperionWave-AI\/dev-squad\//);
    expect(pulumi.isUp).toBe(false);
    expect(lines).toContain('- Infrastructure: after "Protection at GitHub"');
    expect(emulator.context.store.state.github[REPOSITORY]?.variables).toEqual({});
  });
});

it("sets no variables before the accounts of CI and of drift have their roles", async () => {
  const all = await steps(new FakePulumi());
  expect(all.at(-1)?.needs).toEqual([PROTECTION, INFRASTRUCTURE, "CI's accounts", "Drift"]);
});

describe("it reports", () => {
  it.each([new PermissionMissing("no permission"), new NotYet("after another step")])(
    "as not done a step whose inspection ends with $name",
    async (error) => {
      const step = { name: "First", inspect: () => Promise.reject(error) };
      expect(await carryOut([step], print)).toEqual({ blocked: ["First"], left: [] });
    },
  );

  it("in one sentence the rules that a plan of GitHub does not offer, and continues", async () => {
    emulator.context.store.change(({ github }) => Object.assign(github[REPOSITORY] ?? {}, { private: true }));
    const pulumi = new FakePulumi();
    expect(await carryOut(await steps(pulumi), print)).toEqual(DONE);
    expect(pulumi.isUp).toBe(true);
    lines = [];
    expect(await plan(await steps(pulumi), print)).toBe(0);
    expect(lines.filter((line) => line.includes("everyone with push access can publish"))).not.toEqual([]);
    expect(emulator.context.store.state.github[REPOSITORY]?.environments).toHaveProperty("production");
  });

  it.each([
    ["iam.disableServiceAccountCreation", "refuses the service accounts of CI"],
    ["iam.workloadIdentityPoolProviders", "refuses the issuer https://token.actions.githubusercontent.com"],
  ])("that %s refuses a later step, before it makes anything but APIs", async (constraint, words) => {
    const token = await tokenOf(MAINTAINER);
    await fetch(`${emulator.url}sandbox/org-policy`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ mode: "deny", constraint }),
    });
    await expect(carryOut(await steps(new FakePulumi()), print)).rejects.toThrow(words);
    expect(emulator.context.store.state.buckets).toEqual({});
  });

  it.each([
    ["belongs to another project", "production-471918", ", number 123456789012."],
    [
      "holds other states",
      PROJECT,
      ", which every preview could then read: .pulumi/stacks/other/dev.json.gz.",
    ],
  ])("that a bucket of that name %s", async (what, projectId, more) => {
    emulator.context.store.change(({ buckets, policies }) => {
      buckets[WANTED.bucket] = {
        ...{ projectId, location: "us-central1", uniform: true },
        ...{ publicAccessPrevention: "enforced", createTime: "2026-01-01T00:00:00Z" },
      };
      policies[`projects/${projectId}/buckets/${WANTED.bucket}`] = {
        current: { bindings: [{ role: "roles/storage.admin", members: [MAINTAINER] }] },
      };
    });
    // The emulator's buckets hold no objects.
    const own = ["production.json", "production.json.bak"].map((name) => `${NAMESPACE}/${name}`);
    const items = [...own, "other/dev.json.gz"].map((name) => ({ name: `.pulumi/stacks/${name}` }));
    const real = fetch;
    vi.stubGlobal("fetch", (url: URL | string, init?: RequestInit) =>
      String(url).includes("/o?prefix=") ? Promise.resolve(Response.json({ items })) : real(url, init),
    );
    await expect(carryOut(await steps(new FakePulumi()), print)).rejects.toThrow(
      `gs://${WANTED.bucket} ${what}${more} Name another bucket: --bucket NAME`,
    );
  });
});

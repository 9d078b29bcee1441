import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mintAccessToken, MAINTAINER } from "../../../sandbox/lib/tokens.ts";
import { repositoryRoot, sandboxPaths } from "../../../sandbox/lib/paths.ts";
import { signal } from "../../../sandbox/lib/processes.ts";
import { withDescendants } from "../../support/processes.ts";
import type { Outcome } from "../../support/sandbox.ts";
import { impersonate } from "../../support/federation.ts";
import { useSandbox } from "../../support/shared-sandbox.ts";
import { entriesOf, expectMessage, type Provocations } from "./document.ts";

const PROJECT = "v1/projects/hyperion-sandbox";
const REPOSITORY = `${PROJECT}/locations/us-central1/repositories/hyperion-public`;
const POOLS = `${PROJECT}/locations/global/workloadIdentityPools`;

const entries = new Map([...entriesOf("Run Pulumi"), ...entriesOf("Continuous integration")]);

const sandbox = useSandbox();
let scratch: string;
let registry: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "hyperion-trouble-"));
  registry = await sandbox.output("registryUrl");
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

const set = (name: string, value: string) => sandbox.pulumi("config", "set", "--path", name, value);
const unset = (name: string) => sandbox.pulumi("config", "rm", "--path", name);
const up = (...args: string[]) => sandbox.pulumi("up", "--yes", "--skip-preview", ...args);
const tryUp = (...args: string[]) => sandbox.tryPulumi("up", "--yes", "--skip-preview", ...args);
const expectNoChanges = () => sandbox.pulumi("preview", "--expect-no-changes");

/** The output of what has to fail. */
async function failing(outcome: Promise<Outcome>): Promise<string> {
  const { code, output } = await outcome;
  expect(code, output).not.toBe(0);
  return output;
}

async function succeeding(outcome: Promise<Outcome>): Promise<string> {
  const { code, output } = await outcome;
  expect(code, output).toBe(0);
  return output;
}

/** A call to the emulated Google that has to succeed. */
async function google(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await sandbox.google(method, path, body);
  expect(answer).toMatchObject({ status: 200 });
  return answer.body;
}

/** A folder for DOCKER_CONFIG. */
async function dockerConfig(config: object): Promise<string> {
  const folder = await mkdtemp(join(scratch, "docker-config-"));
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}

/** Kills `pulumi up` with SIGKILL while it creates a grant; the grant stays in the settings. */
async function killUp(): Promise<void> {
  const fault = ["status", "status=503", "method=POST", "route=*:setIamPolicy", "times=null"];
  await succeeding(sandbox.run("fault", "set", ...fault));
  await set("readers[0]", "user:lee@example.com");
  const running = sandbox.start("pulumi", ["up", "--yes", "--skip-preview"]);
  // Only then does the state know what is under way.
  const state = join(sandboxPaths(sandbox.root).state, ".pulumi/stacks/hyperion-registry/sandbox.json");
  await expect.poll(() => readFile(state, "utf8"), { timeout: 60_000 }).toContain('"pending_operations"');
  // The program may go on for ever without an engine to talk to.
  for (const pid of withDescendants(running.pid)) signal(pid, "SIGKILL");
  expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
  await succeeding(sandbox.run("fault", "clear"));
}

/** Google's answer to a workflow's token with these claims, and to the wish to be the CI account with it. */
async function federate(claims: Record<string, string>): Promise<string> {
  const provider = await sandbox.output("workloadIdentityProvider");
  const query = new URLSearchParams({ audience: `https://iam.googleapis.com/${provider}`, ...claims });
  const { value } = (await google("GET", `github/token?${query.toString()}`)) as { value: string };
  const account = await sandbox.output("ciServiceAccountEmail");
  return (await impersonate(sandbox, provider, value, account)).text();
}

async function pushOver(tag: string, other: string): Promise<void> {
  await succeeding(sandbox.docker("tag", other, tag));
  await succeeding(sandbox.docker("push", tag));
}

const provocations: Provocations = {
  "Node.js is too old": async () => {
    // No older Node.js is at hand: this one says that it is.
    const pretend = join(repositoryRoot, "start", "old-node.fixture.cjs");
    return failing(sandbox.command("pulumi", ["preview"], { NODE_OPTIONS: `--require ${pretend}` }));
  },
  "No Docker engine answers": async () => {
    const output = await failing(
      sandbox.command("pulumi", ["preview"], { DOCKER_HOST: `unix://${scratch}/none.sock` }),
    );
    expect(output).toContain("nothing was changed");
    return output;
  },
  "There is no login at the registry": async () =>
    succeeding(sandbox.command("pulumi", ["preview"], { DOCKER_CONFIG: await dockerConfig({}) })),
  "The login's helper is not installed": async () => {
    const credHelpers = { [registry.replace(/\/.*/, "")]: "nowhere" };
    return failing(
      sandbox.command("pulumi", ["preview"], { DOCKER_CONFIG: await dockerConfig({ credHelpers }) }),
    );
  },
  "The push is denied": () =>
    failing(
      sandbox.command("docker", ["push", `${registry}/hyperion-ui:latest`], {
        HYPERION_SANDBOX_PRINCIPAL: "user:dana@example.com",
      }),
    ),
  "Google's login has expired": async () =>
    failing(
      sandbox.command("pulumi", ["refresh", "--yes"], {
        GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(sandbox.root, MAINTAINER, -1),
      }),
    ),
  "An API is disabled": async () => {
    await google("POST", `${PROJECT}/services/artifactregistry.googleapis.com:disable`, {});
    const output = await failing(sandbox.tryPulumi("refresh", "--yes"));
    await expectNoChanges();
    await google("POST", `${PROJECT}/services/artifactregistry.googleapis.com:enable`, {});
    await sandbox.pulumi("refresh", "--yes");
    return output;
  },
  "Everybody is not allowed": async () => {
    await google("POST", `${PROJECT}/services/orgpolicy.googleapis.com:enable`, {});
    await succeeding(sandbox.run("org-policy", "deny"));
    await set("publicAccess", "true");
    const program = await failing(sandbox.tryPulumi("preview"));
    const binding = { role: "roles/artifactregistry.reader", members: ["allUsers"] };
    const byHand = await sandbox.google("POST", `${REPOSITORY}:setIamPolicy`, {
      policy: { bindings: [binding] },
    });
    await unset("publicAccess");
    await succeeding(sandbox.run("org-policy", "allow"));
    return `${program}\n${JSON.stringify(byHand.body)}`;
  },
  "The stack is locked": async () => {
    await killUp();
    const output = await failing(tryUp());
    await succeeding(sandbox.tryPulumi("preview"));
    await succeeding(sandbox.tryPulumi("cancel", "--yes"));
    await up();
    await expectNoChanges();
    await unset("readers");
    await up();
    return output;
  },
  "An update was interrupted": async () => {
    await killUp();
    await succeeding(sandbox.tryPulumi("cancel", "--yes"));
    const output = await succeeding(tryUp());
    expect(await succeeding(tryUp())).toContain("pending operations");
    await succeeding(sandbox.tryPulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates"));
    expect(await succeeding(tryUp())).not.toContain("pending operations");
    await unset("readers");
    await up();
    return output;
  },
  "It exists already": async () => {
    await google("POST", `${PROJECT}/services/iam.googleapis.com:enable`, {});
    await google("POST", `${POOLS}?workloadIdentityPoolId=hyperion-github`, {});
    await set("githubRepository", "HyperionWave-AI/dev-squad");
    const pool = await failing(tryUp());
    await set("adoptExisting", "true");
    await up();
    await unset("adoptExisting");

    await sandbox.pulumi("stack", "init", "second", "--no-select");
    await sandbox.pulumi("config", "cp", "--stack", "sandbox", "--dest", "second");
    await sandbox.pulumi("config", "rm", "githubRepository", "--stack", "second");
    await sandbox.pulumi("config", "set", "publishImages", "false", "--stack", "second");
    const repository = await failing(tryUp("--stack", "second"));
    await sandbox.pulumi("stack", "rm", "second", "--force", "--yes");
    await sandbox.pulumi("stack", "select", "sandbox");
    return `${pool}\n${repository}`;
  },
  "The identity pool was deleted": async () => {
    await unset("githubRepository");
    await up();
    await set("githubRepository", "HyperionWave-AI/dev-squad");
    const output = await succeeding(sandbox.tryPulumi("preview"));
    await up();
    return output;
  },
  "The version is published already": async () => {
    await set("version", "1.4.2");
    await up();
    await appendFile(join(sandbox.sources, "coordinator/ui/server.js"), "\n// changed\n");
    const changed = await failing(tryUp());
    await set("version", "1.4.3");
    await up();

    await pushOver(`${registry}/hyperion-ui:1.4.3`, `${registry}/hyperion-http-bridge:build`);
    const moved = await failing(sandbox.tryPulumi("preview"));
    expectMessage(entries.get("The version is published already") ?? "", moved);
    await set("allowVersionOverwrite", "true");
    const all = ["tag:Tag", "registryImage:RegistryImage"].map((type) => `**docker:index/${type}**`);
    await up(...all.flatMap((urns) => ["--replace", urns]));
    await unset("allowVersionOverwrite");
    await expectNoChanges();
    return changed;
  },
  "A published tag is gone": async () => {
    const image = `${registry}/hyperion-ui:latest`;
    await google("DELETE", `${REPOSITORY}/packages/hyperion-ui/tags/latest`);
    await expectNoChanges();
    const output = await succeeding(sandbox.tryPulumi("preview", "--refresh"));
    expect(await failing(sandbox.docker("pull", image))).toContain("not found: manifest unknown");
    await sandbox.pulumi("refresh", "--yes");
    await up();
    await succeeding(sandbox.docker("pull", image));
    return output;
  },
  "The repository is protected": async () => {
    await set("protect", "true");
    await up();
    const output = await failing(sandbox.tryPulumi("destroy", "--yes"));
    await set("protect", "false");
    await up();
    return output;
  },
  "The passphrase is wrong, or lost": async () => {
    const none = { PULUMI_CONFIG_PASSPHRASE_FILE: undefined };
    const missing = await failing(sandbox.command("pulumi", ["preview", "--non-interactive"], none));
    const paths = sandboxPaths(sandbox.root);
    await writeFile(paths.passphrase, "another one", { mode: 0o600 });
    const wrong = await failing(sandbox.tryPulumi("preview"));

    await sandbox.pulumi("stack", "rm", "sandbox", "--force", "--yes", "--preserve-config");
    const settings = join(paths.project, "Pulumi.sandbox.yaml");
    const text = await readFile(settings, "utf8");
    await writeFile(settings, text.replace(/^encryptionsalt:.*\n/m, ""));
    await sandbox.pulumi("stack", "init", "sandbox");
    await set("adoptExisting", "true");
    await set("version", "1.4.4");
    await up();
    await expectNoChanges();
    return `${missing}\n${wrong}`;
  },
  "GitHub's token is refused": () =>
    federate({ repository: "eve/dev-squad", event_name: "push", ref: "refs/heads/main" }),
  "The account is not given to the workflow": async () => {
    const run = { repository: "HyperionWave-AI/dev-squad", event_name: "push", environment: "production" };
    expect(await federate({ ...run, ref: "refs/heads/main" })).toContain("accessToken");
    return federate({ ...run, ref: "refs/heads/topic" });
  },
  "There is no registry to publish to": async () => {
    const on = ["--stack", "images"];
    await sandbox.pulumi("stack", "init", "images", "--no-select");
    const elsewhere = {
      "gcp:project": "hyperion-sandbox",
      "gcp:region": "us-central1",
      manageRegistry: "false",
      repositoryId: "other",
      sourceDir: (await sandbox.pulumi("config", "get", "sourceDir")).trim(),
    };
    for (const [name, value] of Object.entries(elsewhere))
      await sandbox.pulumi("config", "set", ...on, name, value);
    const output = await failing(sandbox.tryPulumi("preview", ...on));
    await sandbox.pulumi("config", "rm", ...on, "repositoryId");
    await succeeding(sandbox.tryPulumi("preview", ...on));
    await sandbox.pulumi("stack", "rm", "images", "--yes");
    return output;
  },
  "The lock is not given back": async () => {
    await killUp();
    const up = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "sandbox"];
    const retry = ["--for", "1", "--every", "1", ...up];
    const output = await failing(sandbox.command("scripts/retry-when-locked.sh", retry));
    await succeeding(sandbox.tryPulumi("cancel", "--yes"));
    return output;
  },
};

test("every entry is provoked here", () => {
  expect(Object.keys(provocations)).toEqual([...entries.keys()]);
});

test.for(Object.entries(provocations))("%s", async ([heading, provoke]) => {
  expectMessage(entries.get(heading) ?? "", await provoke());
});

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../sandbox/emulator/server.ts";
import { mintGithubApiToken } from "../../sandbox/emulator/support/github/tokens.ts";
import { addProject } from "../../sandbox/emulator/support/store.ts";
import { type Buckets, startBuckets } from "../../sandbox/emulator/testing/buckets.ts";
import { endpointVariables } from "../../sandbox/lib/google-endpoints.ts";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { MAINTAINER, mintAccessToken } from "../../sandbox/lib/tokens.ts";
import { gcloudEnvironment, gcloudTokenFile } from "../../sandbox/services/gcloud-environment.ts";
import { passed } from "../support/outcome.ts";
import { type Outcome, runCommand } from "../support/sandbox.ts";
import { endWatch, watchSandbox } from "../support/secrets/watching.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

// The stacks have a passphrase, because Pulumi's gcpkms:// has no endpoint setting. Not tested: that `pulumi stack init` can
// encrypt with the Cloud KMS keys that bootstrap creates and grants.

const PROJECT = "brand-new-project";
const REPOSITORY = "HyperionWave-AI/dev-squad";
const BUCKET = `${PROJECT}-pulumi-state`;
const DRIFT = `serviceAccount:hyperion-drift@${PROJECT}.iam.gserviceaccount.com`;
const LEE = "user:lee@example.com";
const STACK_FILES = ["Pulumi.production.yaml", "Pulumi.production-images.yaml"];

const hasGcloud = (await runCommand("gcloud", ["--version"], process.env)).code === 0;
const sandbox = useSandbox();

let dir: string;
let emulator: Emulator;
let buckets: Buckets;
/** The names and original texts of the stack files in the sandbox's project. */
let files: [string, string][];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "hyperion-bootstrap-"));
  const [from, to] = [sandboxPaths(sandbox.root), sandboxPaths(dir)];
  // Copies the sandbox's keys, so that one token is valid at both.
  cpSync(dirname(from.key), dirname(to.key), { recursive: true });
  files = STACK_FILES.map((name) => [
    join(from.project, name),
    readFileSync(join(from.project, name), "utf8"),
  ]);
  emulator = await startEmulator({ sandboxDir: dir, port: 0, registryPort: 1 });
  for (const id of [PROJECT, `${PROJECT}-2`])
    emulator.context.store.change((state) => addProject(state, id, MAINTAINER));
  buckets = await startBuckets({ url: emulator.url, sandboxDir: dir });
  watchSandbox(dir);
});

afterAll(async () => {
  for (const [name, text] of files) writeFileSync(name, text);
  await endWatch(dir);
  await buckets.stop();
  await emulator.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The environment of a principal, with the emulated Google and GitHub of this file. */
async function as(principal: string): Promise<NodeJS.ProcessEnv> {
  const origin = emulator.url.replace(/\/$/, "");
  return {
    ...endpointVariables(origin),
    GOOGLE_STORAGE_CUSTOM_ENDPOINT: `${buckets.url}/storage/v1/`,
    GITHUB_API_URL: `${origin}/api/v3`,
    GH_TOKEN: await mintGithubApiToken(dir, { login: "maintainer" }),
    GOOGLE_OAUTH_ACCESS_TOKEN: await mintAccessToken(dir, principal),
    STORAGE_EMULATOR_HOST: await buckets.as(principal),
    PULUMI_BACKEND_URL: undefined,
    HYPERION_FAKE_PROVIDER_BACKOFF_MS: "5",
    USER_PROJECT_OVERRIDE: undefined,
    GOOGLE_BILLING_PROJECT: undefined,
  };
}

async function bootstrap(principal: string, ...more: string[]): Promise<Outcome> {
  const args = ["scripts/bootstrap/main.ts", "--project", PROJECT, "--yes", ...more];
  return sandbox.command(process.execPath, args, await as(principal));
}

const FROM_NOTHING = ["--github", REPOSITORY, "--secrets-provider", "passphrase"];

describe("npm run bootstrap on a new project", { timeout: 300_000 }, () => {
  test("changes nothing with --dry-run", async () => {
    const before = structuredClone(emulator.context.store.state);
    const output = passed(await bootstrap(MAINTAINER, ...FROM_NOTHING, "--dry-run"));
    expect(output).toContain(`  + bucket gs://${BUCKET}\n`);
    expect(output).toContain("  + stack production, its state in gs://");
    expect(emulator.context.store.state).toEqual(before);
  });

  test("sets up production, as a maintainer with the documented roles", async () => {
    const output = passed(await bootstrap(MAINTAINER, ...FROM_NOTHING));
    expect(output).toContain("+ pulumi up of production, after its preview\n");
    expect(output).not.toMatch(/^- /m);
    expect(output).toContain("git add Pulumi.production.yaml Pulumi.production-images.yaml");
    const { repositories, serviceAccounts, providers } = emulator.context.store.state;
    expect(Object.keys(repositories)).toEqual([
      `projects/${PROJECT}/locations/us-central1/repositories/hyperion-public`,
    ]);
    expect(
      Object.keys(serviceAccounts)
        .map((email) => email.split("@")[0])
        .sort(),
    ).toEqual([...["hyperion-ci", "hyperion-ci-preview", "hyperion-drift"]]);
    expect(Object.values(providers)[0]?.attributeCondition).toContain("901234567");
    for (const [name] of files) expect(readFileSync(name, "utf8")).toContain(`gcp:project: ${PROJECT}\n`);
  });

  test("lets the drift account, with its one role, run a drift check", async () => {
    const look = ["refresh", "--preview-only", "--expect-no-changes", "--stack", "production"];
    const env = { ...(await as(DRIFT)), PULUMI_BACKEND_URL: `gs://${BUCKET}` };
    passed(await sandbox.command("pulumi", look, env));
  });

  test("refuses a bucket that holds other states", async () => {
    const env = { ...(await as(MAINTAINER)), PULUMI_BACKEND_URL: `gs://${BUCKET}` };
    passed(await sandbox.command("pulumi", ["stack", "init", "other", "--no-select"], env));
    const { code, output } = await bootstrap(MAINTAINER, ...FROM_NOTHING);
    expect(code).toBe(1);
    expect(output).toContain(
      `gs://${BUCKET} holds other states, which every preview could then read: .pulumi/stacks/hyperion-registry/other.json`,
    );
  });
});

describe.skipIf(!hasGcloud)("the commands that it prints for another person", { timeout: 600_000 }, () => {
  const project = `${PROJECT}-2`;
  const ask = async (...more: string[]): Promise<Outcome> =>
    sandbox.command(
      process.execPath,
      ["scripts/bootstrap/main.ts", "--project", project, "--without", "drift", ...more],
      await as(LEE),
    );

  test("run unchanged in gcloud", async () => {
    const policy = emulator.context.store.state.policies[`projects/${project}`];
    const grants = ["serviceUsageViewer"].map((role) => ({
      role: `roles/serviceusage.${role}`,
      members: [LEE],
    }));
    policy?.current.bindings?.push(...grants, { role: "roles/viewer", members: [LEE] });
    const { code, output } = await ask("--yes");
    expect(code, output).toBe(1);
    const commands = output.match(/^ {2}gcloud .*$/gm) ?? [];
    expect(commands.length).toBeGreaterThan(10);
    const file = gcloudTokenFile(dir);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, await mintAccessToken(dir, MAINTAINER), { mode: 0o600 });
    const env = {
      ...process.env,
      ...gcloudEnvironment(emulator.port, dir),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${buckets.url}/storage/v1/`,
    };
    // Commands that differ only in a name: one of them.
    const form = (command: string): string => command.replaceAll(/\S*(?:googleapis|pulumi-state)\S*/g, "");
    const forms = new Map(commands.toReversed().map((command) => [form(command), command]));
    expect(forms.size).toBeGreaterThan(5);
    for (const command of [...forms.values()].toReversed()) {
      const done = await runCommand("bash", ["-c", `${command.trim()} --quiet`], env);
      expect(done.code, `${command}\n${done.output}`).toBe(0);
    }
    const again = await ask("--dry-run");
    expect(again.output).toContain(`  = bucket gs://${project}-pulumi-state\n`);
    expect(again.output).toContain("  = key pulumi-state\n");
    expect(again.output).toContain(`  = ${LEE}: roles/storage.admin on gs://${project}-pulumi-state\n`);
  });
});

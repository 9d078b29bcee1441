/** The fake providers under the real engine. What one of them does is in its own unit tests. */
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { allProcesses, commandLine } from "../../sandbox/lib/processes.ts";
import { installFakeProvider, PLUGINS } from "../../sandbox/providers/install.ts";
import { fault, faultsLeft } from "../support/google.ts";
import { failed, passed } from "../support/outcome.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import type { Settings } from "./plugins/program/index.ts";
import { comparable, pluginRecords, resourceOf, type StateResource } from "./plugins/records.ts";

const REPOSITORY = "gcp:artifactregistry/repository:Repository";
const HALF = "projects/hyperion-sandbox/locations/us-central1/repositories/half";
const UP = ["up", "--yes", "--skip-preview"];

const sandbox = useSandbox();
/** The sandbox with the fake providers, also where the real plugins are installed. */
let fakes: Sandbox;
/** The options of a command on the stack of `plugins/program`. */
let onStack: string[];

beforeAll(async () => {
  const home = join(sandbox.scratch, "home");
  for (const name of PLUGINS) await installFakeProvider(name, home);
  fakes = sandbox.with({
    PULUMI_HOME: home,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  });
  const program = join(sandbox.scratch, "program");
  await cp(join(import.meta.dirname, "plugins/program"), program, { recursive: true });
  await symlink(join(repositoryRoot, "node_modules"), join(program, "node_modules"));
  onStack = ["--cwd", program, "--stack", "plugins"];
  await fakes.pulumi("stack", "init", ...onStack);
});

const withSettings = (settings: Settings, variables: NodeJS.ProcessEnv = {}): Sandbox =>
  fakes.with({ ...variables, SETTINGS: JSON.stringify(settings) });

/** The state as text, decrypted. */
const exported = (): Promise<string> => fakes.pulumi("stack", "export", "--show-secrets", ...onStack);

function resourcesIn(text: string): StateResource[] {
  const { deployment } = JSON.parse(text) as { deployment: { resources?: StateResource[] } };
  return deployment.resources ?? [];
}

const half = {
  type: REPOSITORY,
  name: "half",
  args: { project: "hyperion-sandbox", repositoryId: "half", format: "DOCKER" },
};

const settings = (recorded: Partial<Settings["recorded"]> = {}): Settings => ({
  raw: [half],
  recorded: { registry: sandbox.registry.replace(/\/.*/, ""), buildArg: "b", ...recorded },
});

describe("a repository that was created, but could not be read back", () => {
  it("stays in the state", async () => {
    await fault(sandbox, { kind: "status", status: 403, method: "GET", route: `/v1/${HALF}` });
    const output = failed(await withSettings({ raw: [half] }).tryPulumi(...UP, ...onStack));
    expect(output).toContain("Error creating Repository: googleapi: Error 403");
    expect(await faultsLeft(sandbox)).toEqual([]);
    expect(resourceOf(resourcesIn(await exported()), REPOSITORY, "half").id).toBe(HALF);
  });
});

describe("the state of a stack with each resource type", () => {
  let output: string;
  let text: string;

  beforeAll(async () => {
    // As in the records, although it leaves a permanent difference.
    const asRecorded = settings({ dockerConfig: { immutableTags: false } });
    output = passed(await withSettings(asRecorded).tryPulumi(...UP, ...onStack));
    text = await exported();
  });

  it("is the same as with the real plugins", () => {
    const resources = resourcesIn(text);
    const records = [...pluginRecords()].flatMap(([type, list]) => list.map((record) => ({ type, record })));
    expect(records.map(({ type, record }) => comparable(resourceOf(resources, type, record.name)))).toEqual(
      records.map(({ record }) => comparable(record)),
    );
  });

  it("does not create a repository twice that could not be read back", () => {
    expect(output).not.toMatch(/Repository +half +creat/);
    // Google refuses a second one.
    expect(resourceOf(resourcesIn(text), REPOSITORY, "half").id).toBe(HALF);
  });

  it("does not contain the token", () => {
    const token = sandbox.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";
    expect(text).toContain(`"tokenLength": ${token.length}`);
    expect(text).not.toContain(token);
  });

  it("is up to date, before and after a refresh", async () => {
    await withSettings(settings()).pulumi(...UP, "--expect-no-changes", ...onStack);
    await withSettings(settings()).pulumi("refresh", "--yes", "--expect-no-changes", ...onStack);
  });
});

it("an unsupported resource type is refused", async () => {
  const raw = [{ type: "gcp:storage/bucket:Bucket", name: "x", args: {} }];
  expect(failed(await withSettings({ raw }).tryPulumi("preview", ...onStack))).toContain(
    "does not support the resource type gcp:storage/bucket:Bucket",
  );
});

// The last one leaves the stack locked.
it.each(["SIGINT", "SIGKILL"] as const)("a running build stops when the engine gets %s", async (signal) => {
  const sleep = `sleep 61.${process.pid}${signal === "SIGKILL" ? 7 : 8}`;
  const bin = join(sandbox.scratch, signal);
  await mkdir(bin);
  const slow = [
    "#!/bin/sh",
    'case "$1" in --version) echo "Docker version 20.10.0, build 0" ;; *)',
    `exec ${sleep} ;; esac`,
  ];
  await writeFile(join(bin, "docker"), `${slow.join("\n")}\n`, { mode: 0o755 });
  const building = (): boolean => allProcesses().some((pid) => commandLine(pid) === sleep);
  const changed = withSettings(settings({ buildArg: signal }), {
    PATH: `${bin}:${sandbox.env["PATH"] ?? ""}`,
  });
  const engine = changed.start("pulumi", [...UP, ...onStack]);
  await expect.poll(building, { timeout: 30_000 }).toBe(true);
  process.kill(engine.pid, signal);
  await expect.poll(building, { timeout: 5_000 }).toBe(false);
  await engine.ended;
});

import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import images from "../../images.json" with { type: "json" };
import { ensureCompose } from "../../sandbox/machine/install-compose.ts";
import { digestOf, removeTags } from "../support/google.ts";
import { passed, stdoutOf } from "../support/outcome.ts";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

// A maintainer withdraws a bad release; a person who runs Hyperion with Docker Compose pulls the good one.

const sandbox = useSandbox();
let compose: string;

beforeAll(async () => {
  compose = await ensureCompose(console.log);
});

async function git(...args: string[]): Promise<string> {
  const identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"];
  return stdoutOf(await sandbox.command("git", ["-C", sandbox.sources, ...identity, ...args]));
}

async function commit(message: string): Promise<void> {
  await git("add", ".");
  await git("commit", "--quiet", "--message", message);
}

/** `npm run release -- ARGS` on the sandbox's stack. */
const release = (args: readonly string[], input = ""): Promise<Outcome> =>
  sandbox.command("npm", ["run", "--silent", "release", "--", ...args, "--stack", "sandbox"], {}, { input });

/** The release settings in the stack's file. */
async function releaseSettings(): Promise<Record<string, unknown>> {
  const file = await readFile(join(sandbox.root, "project/Pulumi.sandbox.yaml"), "utf8");
  const { config } = parse(file) as { config: Record<string, unknown> };
  return Object.fromEntries(
    ["version", "revision", "releaseDate"]
      .map((name) => [name, config[`hyperion-registry:${name}`]] as const)
      .filter(([, value]) => value !== undefined),
  );
}

const ui = (tag: string) => digestOf(sandbox, "hyperion-ui", tag);

/** Runs `docker compose pull` of a tag; returns the digests of the user interface. */
async function pull(tag: string): Promise<string> {
  const variables = { HYPERION_REGISTRY: sandbox.registry, HYPERION_TAG: tag };
  const services = ["hyperion-mcp-server", "hyperion-http-bridge", "hyperion-ui"];
  passed(await sandbox.command(compose, ["pull", ...services], variables));
  const inspect = ["image", "inspect", "--format", '{{join .RepoDigests " "}}'];
  return stdoutOf(await sandbox.docker(...inspect, `${sandbox.registry}/hyperion-ui:${tag}`));
}

const dirty = (): string => join(sandbox.sources, "coordinator/ui/src/index.html");

test("one command withdraws a bad release, and the next pull gets the good one", async () => {
  const first = passed(await release(["1.4.2"], "y\n"));
  expect(first).toMatch(/^ *hyperion-ui: 1\.4\.2, v1\.4\.2, 1\.4, 1 -> sha256:[0-9a-f]{12}$/m);
  expect(first).toMatch(/^1\.4\.2 is published\.$/m);
  // The plan, the question, and the result.
  expect(first.split("\n").length).toBeLessThan(80);
  expect(await releaseSettings()).toEqual({ version: "1.4.2" });
  const good = (await ui("1.4.2")) ?? "none";

  await appendFile(dirty(), "\n// bad\n");
  const uncommitted = await release(["1.4.3"], "y\n");
  expect(uncommitted.code).toBe(2);
  expect(uncommitted.output).toContain("changes that are not committed: coordinator/ui/src/index.html");
  await commit("bad");
  const again = await release(["1.4.2"], "y\n");
  expect(again.output).toContain("npm run release -- 1.4.3");
  expect(again.code).toBe(2);
  expect(await releaseSettings()).toEqual({ version: "1.4.2" });

  passed(await release(["1.4.3"], "y\n"));
  const bad = (await ui("1.4.3")) ?? "none";
  expect(bad).not.toBe(good);
  for (const tag of ["1", "latest"]) expect(await pull(tag)).toContain(bad);

  const { output, seconds } = await rollBackWithoutTools("1.4.2");
  for (const { name } of images) expect(output).toMatch(new RegExp(`^${name}: .*withdrawn-1\\.4\\.3`, "m"));
  expect(output).toMatch(/^hyperion-ui: .*1\.4, 1, latest: 1\.4\.3 -> 1\.4\.2/m);
  expect(output).toContain("The floating tags point to 1.4.2.");
  expect(seconds).toBeLessThan(5);
  for (const tag of ["1", "latest"]) expect(await pull(tag)).toContain(good);
  expect(await ui("1.4.3")).toBe(bad);
  expect(await ui("withdrawn-1.4.3")).toBe(bad);
  expect(await releaseSettings()).toEqual({ version: "1.4.2" });
});

/** Rolls back without a Docker engine, plugins, pulumi, docker, git and the stack's state. */
async function rollBackWithoutTools(version: string): Promise<{ output: string; seconds: number }> {
  const nowhere = join(sandbox.scratch, "nowhere");
  const variables = {
    PATH: nowhere,
    DOCKER_HOST: `unix://${nowhere}/docker.sock`,
    DOCKER_CONFIG: nowhere,
    PULUMI_HOME: nowhere,
    PULUMI_BACKEND_URL: `file://${nowhere}`,
    HYPERION_PULUMI: undefined,
  };
  const words = ["scripts/release/main.ts", version, "--rollback", "--yes", "--stack", "sandbox"];
  const begun = performance.now();
  const output = passed(await sandbox.command(process.execPath, words, variables));
  return { output, seconds: (performance.now() - begun) / 1000 };
}

test("the tags of the bad version can be deleted, and a rerun of its job does not recreate them", async () => {
  for (const { name } of images) await removeTags(sandbox, name, "1.4.3", "v1.4.3");
  const latest = await ui("latest");
  const { stdout: head } = await sandbox.command("git", ["rev-parse", "HEAD"]);
  // The script contacts no remote for a tag.
  const ref = ["refs/tags/v1.4.3", head.trim()];
  const args = ["--stack", "sandbox", ...ref, "nowhere"];
  const repeat = passed(await sandbox.command("scripts/publish-ref.sh", args));
  expect(repeat).toContain("1.4.3 is withdrawn. Its tags stay as they are.");
  expect(await ui("1.4.3")).toBeUndefined();
  expect(await ui("latest")).toBe(latest);
});

test("a published version is overwritten after its number is typed", async () => {
  const before = await ui("1.4.2");
  await appendFile(dirty(), "\n// the same version again\n");
  await commit("again");
  const output = passed(await release(["1.4.2", "--overwrite"], "1.4.2\n"));
  expect(output).toMatch(/^hyperion-ui: 1\.4\.2, v1\.4\.2, 1\.4, 1, latest: /m);
  const after = await ui("1.4.2");
  expect(after).not.toBe(before);
  for (const tag of ["v1.4.2", "1.4", "1", "latest", "build", "build-1.4.2"])
    expect(await ui(tag)).toBe(after);
  expect(await releaseSettings()).toMatchObject({ version: "1.4.2" });
  await sandbox.expectNoChanges();
});

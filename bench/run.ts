/**
 * Measures the goals of docs/PERFORMANCE.md on this machine.
 * Usage: npm run bench [-- --rounds N] [-- --json]
 */
import Table from "cli-table3";
import { Command } from "commander";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import images from "../images.json" with { type: "json" };
import { repositoryRoot, sandboxPaths } from "../sandbox/lib/paths.ts";
import { pluginsServing } from "../sandbox/providers/install.ts";
import { type Sandbox, startSandbox } from "../test/support/sandbox.ts";
import { type Figure, figure, programMemory, ratio, seconds } from "./measure.ts";
import { CHANGED_IMAGE, changeOneSource, COMPUTING, slowDown, WAITING } from "./sources.ts";

interface Result {
  name: string;
  /** Empty for a ratio. */
  unit: "" | "s" | "MB";
  aim: number | undefined;
  figure: Figure;
}

const { rounds, json } = new Command("npm run bench --")
  .option("--rounds <n>", "rounds of each measurement", (text) => Number.parseInt(text, 10), 3)
  .option("--json", "print the results as JSON", false)
  .parse()
  .opts<{ rounds: number; json: boolean }>();

const PLATFORMS = ["linux/amd64", "linux/arm64"];

const say = (line: string): void => {
  console.error(line);
};

async function main(): Promise<void> {
  const sandbox = await startSandbox();
  const empty = await emptyProject(sandbox);
  try {
    const results = [
      ...(await measureStart(sandbox, empty)),
      ...(await measureCommands(sandbox)),
      ...(await measurePublishing(sandbox)),
    ];
    await mkdir(join(repositoryRoot, "bench/results"), { recursive: true });
    await writeFile(join(repositoryRoot, "bench/results/latest.json"), JSON.stringify(results, null, 2));
    const plugins = pluginsServing(sandboxPaths(sandbox.root).pulumiHome).map(
      ({ name, kind }) => `${name} ${kind}`,
    );
    say(`${availableParallelism()} cores, ${rounds} rounds, plugins: ${plugins.join(", ")}`);
    console.log(json ? JSON.stringify(results, null, 2) : table(results));
  } finally {
    await sandbox.stop();
    await rm(empty, { recursive: true, force: true });
  }
}

/** Measures commands that change nothing, alternating with an empty program. */
async function measureStart(sandbox: Sandbox, empty: string): Promise<Result[]> {
  const ours = ["--stack", "sandbox"];
  const theirs = ["--cwd", empty];
  const up = ["up", "--yes", "--skip-preview"];
  const times = { preview: [], emptyPreview: [], up: [], emptyUp: [] } as Record<string, number[]>;
  const cpu = { ours: [] as number[], empty: [] as number[] };
  const memory: number[] = [];
  for (let round = 0; round <= rounds * 3; round++) {
    const preview = await seconds(() => sandbox.pulumi("preview", ...ours));
    const emptyPreview = await seconds(() => sandbox.pulumi("preview", ...theirs));
    if (round === 0) continue; // fills Node.js's cache of compiled code
    times["preview"]?.push(preview);
    times["emptyPreview"]?.push(emptyPreview);
    memory.push(
      await programMemory(async () => times["up"]?.push(await seconds(() => sandbox.pulumi(...up, ...ours)))),
    );
    times["emptyUp"]?.push(await seconds(() => sandbox.pulumi(...up, ...theirs)));
    cpu.ours.push(await cpuToFirstRegistration(sandbox, ours));
    cpu.empty.push(await cpuToFirstRegistration(sandbox, theirs));
  }
  const of = (name: string): number[] => times[name] ?? [];
  return [
    {
      name: "no-change preview / an empty program's",
      unit: "",
      aim: 1.15,
      figure: ratio(of("preview"), of("emptyPreview")),
    },
    {
      name: "no-change up / an empty program's",
      unit: "",
      aim: 1.25,
      figure: ratio(of("up"), of("emptyUp")),
    },
    {
      name: "Node.js to the first registration, CPU / an empty program's",
      unit: "",
      aim: 1,
      figure: ratio(cpu.ours, cpu.empty),
    },
    { name: "peak memory of the program's process", unit: "MB", aim: 150, figure: figure(memory) },
    ...(["preview", "emptyPreview", "up", "emptyUp"] as const).map((name): Result => ({
      name,
      unit: "s",
      aim: undefined,
      figure: figure(of(name)),
    })),
  ];
}

async function cpuToFirstRegistration(sandbox: Sandbox, project: readonly string[]): Promise<number> {
  const file = join(sandbox.root, "..", "first-registration");
  const preload = join(repositoryRoot, "bench/first-registration.cjs");
  const variables = { NODE_OPTIONS: `--require ${preload}`, FIRST_REGISTRATION: file };
  const { code, output } = await sandbox.command("pulumi", ["preview", ...project], variables);
  if (code !== 0) throw new Error(output);
  const seen = Number((await readFile(file, "utf8")).split("\n")[0]);
  await rm(file);
  return seen;
}

/** Measures the commands of the sandbox. */
async function measureCommands(sandbox: Sandbox): Promise<Result[]> {
  const commands: { words: string[]; aim: number }[] = [
    { words: ["status"], aim: 0.4 },
    { words: ["env"], aim: 0.4 },
    { words: ["token", "user:dana@example.com"], aim: 0.4 },
    { words: ["up"], aim: 3 },
  ];
  const results: Result[] = [];
  for (const { words, aim } of commands) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const variables = { HYPERION_SANDBOX_DIR: sandbox.root };
      const args = ["run", "--silent", "sandbox", "--", ...words];
      times.push(
        await seconds(async () => {
          const { code, output } = await sandbox.command("npm", args, variables);
          if (code !== 0) throw new Error(output);
        }),
      );
    }
    results.push({ name: `npm run sandbox -- ${words[0] ?? ""}`, unit: "s", aim, figure: figure(times) });
  }
  return results;
}

async function measurePublishing(sandbox: Sandbox): Promise<Result[]> {
  const names = ["publish", "unchanged", "version", "rollback", "changed", "byHand"] as const;
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    (typeof names)[number],
    number[]
  >;
  await slowDown(sandbox.sources);
  for (let round = 1; round <= rounds; round++) {
    say(`publishing, round ${round} of ${rounds}`);
    const stack = await newStack(sandbox, `bench-${round}`);
    const up = () => sandbox.pulumi("up", "--yes", "--skip-preview", "--stack", stack);
    await emptyBuildCache(sandbox);
    times.publish.push(await seconds(up));
    times.unchanged.push(await seconds(up));
    await sandbox.pulumi("config", "set", "version", "1.0.0", "--stack", stack);
    times.version.push(await seconds(up));
    await sandbox.pulumi("config", "set", "version", "1.0.1", "--stack", stack);
    await up();
    times.rollback.push(
      await seconds(() =>
        succeed(
          sandbox,
          "npm",
          "run",
          "--silent",
          "release",
          "--",
          "1.0.0",
          "--rollback",
          "--yes",
          "--stack",
          stack,
        ),
      ),
    );
    await sandbox.pulumi("config", "set", "version", "1.0.2", "--stack", stack);
    const registry = (await sandbox.pulumi("stack", "output", "registryUrl", "--stack", stack)).trim();
    await changeOneSource(sandbox.sources);
    times.changed.push(await seconds(up));
    await changeOneSource(sandbox.sources);
    times.byHand.push(await seconds(() => buildAndPush(sandbox, registry)));
  }
  const builds = images.length * PLATFORMS.length;
  const floor = (builds * COMPUTING) / availableParallelism() + WAITING;
  return [
    {
      name: "first publish / all builds' work over the cores and the longest wait",
      unit: "",
      aim: 1.15,
      figure: figure(times.publish.map((value) => value / floor)),
    },
    {
      name: "one source changed / docker build and push of that image's platforms by hand",
      unit: "",
      aim: 1.25,
      figure: ratio(times.changed, times.byHand),
    },
    {
      name: "a new version, sources unchanged / a no-change up",
      unit: "",
      aim: 1.2,
      figure: ratio(times.version, times.unchanged),
    },
    { name: "a rollback", unit: "s", aim: 1, figure: figure(times.rollback) },
    ...Object.entries(times).map(([name, values]): Result => ({
      name,
      unit: "s",
      aim: undefined,
      figure: figure(values),
    })),
  ];
}

/** Makes a stack with its own repository. */
async function newStack(sandbox: Sandbox, name: string): Promise<string> {
  await sandbox.pulumi("stack", "init", name, "--no-select");
  const settings = {
    "gcp:project": "hyperion-sandbox",
    "gcp:region": "us-central1",
    repositoryId: name,
    sourceDir: relative(repositoryRoot, sandbox.sources),
    ciServiceAccountId: `ci-${name}`,
    protect: "false",
  };
  for (const [key, value] of Object.entries(settings)) {
    await sandbox.pulumi("config", "set", key, value, "--stack", name);
  }
  return name;
}

async function emptyBuildCache(sandbox: Sandbox): Promise<void> {
  await sandbox.docker("builder", "prune", "--all", "--force");
}

/** Builds and pushes the platforms of the changed image with docker, in parallel. */
async function buildAndPush(sandbox: Sandbox, registry: string): Promise<void> {
  for (const { name, context, dockerfile } of images.filter(({ name }) => name === CHANGED_IMAGE)) {
    const folder = join(sandbox.sources, context);
    await Promise.all(
      PLATFORMS.map(async (platform) => {
        const tag = `${registry}/${name}:by-hand-${platform.replace("/", "-")}`;
        const words = ["--platform", platform, "--tag", tag, "--file", join(folder, dockerfile), folder];
        await succeed(sandbox, "docker", "build", ...words);
        await succeed(sandbox, "docker", "push", tag);
      }),
    );
  }
}

async function succeed(sandbox: Sandbox, name: string, ...args: string[]): Promise<void> {
  const { code, output } = await sandbox.command(name, args);
  if (code !== 0) throw new Error(output);
}

/** Makes a project that declares nothing, with the unmodified SDK. */
async function emptyProject(sandbox: Sandbox): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "empty-"));
  await symlink(join(repositoryRoot, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), "{}");
  await writeFile(join(folder, "index.js"), 'require("@pulumi/pulumi");\n');
  await writeFile(
    join(folder, "Pulumi.yaml"),
    "name: empty\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: index.js\n",
  );
  await sandbox.pulumi("stack", "init", "dev", "--cwd", folder);
  await sandbox.pulumi("up", "--yes", "--skip-preview", "--cwd", folder);
  return folder;
}

function table(results: readonly Result[]): string {
  const rows = new Table({ head: ["what", "median", "spread", "aim"], style: { head: [], border: [] } });
  for (const {
    name,
    unit,
    aim,
    figure: { median, min, max },
  } of results) {
    const shown = (value: number): string => `${value.toFixed(unit === "MB" ? 0 : 2)}${unit && ` ${unit}`}`;
    rows.push([
      name,
      shown(median),
      `${shown(min)} to ${shown(max)}`,
      aim === undefined ? "" : `${aim} or less`,
    ]);
  }
  return rows.toString();
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

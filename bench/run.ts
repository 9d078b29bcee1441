/**
 * Measures the aims of docs/PERFORMANCE.md in one run on one machine.
 * Usage: npm run bench [-- --rounds N] [-- --json]
 */
import Table from "cli-table3";
import { Command } from "commander";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import images from "../images.json" with { type: "json" };
import { repositoryRoot } from "../sandbox/lib/paths.ts";
import { type Sandbox, startSandbox } from "../test/support/sandbox.ts";
import { type Figure, figure, importSeconds, programMemory, ratio, seconds } from "./measure.ts";
import { changeOneSource, slowDown } from "./sources.ts";

interface Result {
  name: string;
  /** Unit of the figure: a ratio has none. */
  unit: "" | "s" | "MB";
  aim: number | undefined;
  figure: Figure;
}

const { rounds, json } = new Command("npm run bench --")
  .option("--rounds <n>", "rounds of each measurement", (text) => Number.parseInt(text, 10), 3)
  .option("--json", "print the results as JSON", false)
  .parse()
  .opts<{ rounds: number; json: boolean }>();

const say = (line: string): void => {
  console.error(line);
};

async function main(): Promise<void> {
  const sandbox = await startSandbox();
  const empty = await emptyProject(sandbox);
  try {
    const results = await measure(sandbox, empty);
    await mkdir(join(repositoryRoot, "bench/results"), { recursive: true });
    await writeFile(join(repositoryRoot, "bench/results/latest.json"), JSON.stringify(results, null, 2));
    console.log(json ? JSON.stringify(results, null, 2) : table(results));
  } finally {
    await sandbox.stop();
    await rm(empty, { recursive: true, force: true });
  }
}

async function measure(sandbox: Sandbox, empty: string): Promise<Result[]> {
  const times: Record<"publish" | "sequential" | "unchanged" | "empty" | "changed" | "version", number[]> = {
    publish: [],
    sequential: [],
    unchanged: [],
    empty: [],
    changed: [],
    version: [],
  };
  const memory: number[] = [];
  await slowDown(sandbox.sources);
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`);
    const stack = await newStack(sandbox, `bench-${round}`);
    const up = () => sandbox.pulumi("up", "--yes", "--skip-preview", "--stack", stack);
    await emptyBuildCache(sandbox);
    times.publish.push(await seconds(up));
    const registry = (await sandbox.pulumi("stack", "output", "registryUrl", "--stack", stack)).trim();
    await emptyBuildCache(sandbox);
    times.sequential.push(await seconds(() => buildAndPush(sandbox, registry)));
    memory.push(await programMemory(async () => times.unchanged.push(await seconds(up))));
    times.empty.push(await seconds(() => sandbox.pulumi("up", "--yes", "--skip-preview", "--cwd", empty)));
    await changeOneSource(sandbox.sources);
    times.changed.push(await seconds(up));
    await sandbox.pulumi("config", "set", "version", "1.0.0", "--stack", stack);
    times.version.push(await seconds(up));
  }
  const imports: { program: number[]; sdk: number[] } = { program: [], sdk: [] };
  for (let round = 0; round <= rounds * 3; round++) {
    const program = await importSeconds("./index", repositoryRoot);
    const sdk = await importSeconds("@pulumi/pulumi", repositoryRoot);
    if (round === 0) continue; // a warm-up: tsx fills its cache
    imports.program.push(program);
    imports.sdk.push(sdk);
  }
  return [
    {
      name: "first publish / sequential docker",
      unit: "",
      aim: 0.6,
      figure: ratio(times.publish, times.sequential),
    },
    { name: "no-change up / empty program", unit: "", aim: 1.5, figure: ratio(times.unchanged, times.empty) },
    {
      name: "one source changed / first publish",
      unit: "",
      aim: 0.5,
      figure: ratio(times.changed, times.publish),
    },
    { name: "new version / first publish", unit: "", aim: 0.5, figure: ratio(times.version, times.publish) },
    {
      name: "imports / @pulumi/pulumi alone",
      unit: "",
      aim: 1.3,
      figure: ratio(imports.program, imports.sdk),
    },
    { name: "program's peak memory", unit: "MB", aim: 200, figure: figure(memory) },
    ...Object.entries(times).map(([name, values]): Result => ({
      name,
      unit: "s",
      aim: undefined,
      figure: figure(values),
    })),
    { name: "imports", unit: "s", aim: undefined, figure: figure(imports.program) },
    { name: "imports of @pulumi/pulumi", unit: "s", aim: undefined, figure: figure(imports.sdk) },
  ];
}

/** A stack that owns a repository of its own. */
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

async function buildAndPush(sandbox: Sandbox, registry: string): Promise<void> {
  for (const { name, context, dockerfile } of images) {
    const folder = join(sandbox.sources, context);
    const tag = `${registry}/${name}:sequential`;
    const built = await sandbox.docker("build", "--tag", tag, "--file", join(folder, dockerfile), folder);
    const pushed = await sandbox.docker("push", tag);
    if (built.code !== 0 || pushed.code !== 0) throw new Error(built.output + pushed.output);
  }
}

/** A program that declares nothing, transpiled as ours is. */
async function emptyProject(sandbox: Sandbox): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "empty-"));
  await symlink(join(repositoryRoot, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), "{}");
  await writeFile(join(folder, "index.ts"), 'import "@pulumi/pulumi";\n');
  await writeFile(
    join(folder, "Pulumi.yaml"),
    "name: empty\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n    main: index.js\n",
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

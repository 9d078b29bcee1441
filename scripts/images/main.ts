// Builds and pushes the images; what build-and-push-images.sh starts.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { messageOf } from "../../problems/wording.ts";
import { findDocker, loginProblem } from "./docker.ts";
import { readOptions, usage, type Options } from "./options.ts";
import { compareSources, describePlan, missingSources, plan, type Plan } from "./plan.ts";
import { publishImage, type PublishedResult, type Publishing } from "./publish-image.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** How the script ends. */
const EXIT = { published: 0, failed: 1, nothingBegun: 2, interrupted: 130 };

async function main(): Promise<number> {
  const problems: string[] = [];
  const options = readOptions(process.argv.slice(2), problems);
  if (options === "help") {
    process.stdout.write(usage);
    return EXIT.published;
  }
  const what = plan(options, root, problems);
  if (what === undefined || problems.length > 0) return refuse(problems);
  if (!options.skipBuild) problems.push(...missingSources(what));
  const sources =
    options.skipBuild || problems.length > 0 ? { problems: [], warnings: [] } : await compareSources(what);
  problems.push(...sources.problems);
  const warn = (): void => {
    for (const warning of sources.warnings) process.stderr.write(`warning: ${warning}\n`);
  };
  if (options.dryRun) {
    if (problems.length > 0) return refuse(problems);
    warn();
    process.stdout.write(describePlan(what, !options.skipBuild));
    return EXIT.published;
  }
  const docker = await findDocker(what, options.skipBuild);
  problems.push(...docker.problems);
  const login = await loginProblem(what);
  if (login !== undefined) problems.push(login);
  if (problems.length > 0) return refuse(problems);
  warn();
  return publish(options, what, docker.command);
}

function refuse(problems: readonly string[]): number {
  process.stderr.write(`Nothing was begun:\n${problems.map((problem) => `  - ${problem}\n`).join("")}`);
  return EXIT.nothingBegun;
}

async function publish(options: Options, what: Plan, docker: string): Promise<number> {
  const logDir = options.logDir ?? mkdtempSync(path.join(tmpdir(), "hyperion-images-"));
  mkdirSync(logDir, { recursive: true });
  const running = new Set<number>();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      interrupt(running, logDir);
    });
  const { skipBuild } = options;
  const results = await publishAll({ plan: what, docker, skipBuild, logDir, running }, options.jobs);
  const failed = results.filter(({ result }) => result !== "pushed");
  process.stdout.write(report(results, what.tags));
  if (failed.length > 0) return EXIT.failed;
  if (options.logDir === undefined) rmSync(logDir, { recursive: true });
  return EXIT.published;
}

/** Publishes every image, so many at a time; one that fails stops no other. */
async function publishAll(publishing: Publishing, jobs: number): Promise<PublishedResult[]> {
  const { images } = publishing.plan;
  const results: PublishedResult[] = [];
  const waiting = images.entries();
  const worker = async (): Promise<void> => {
    for (const [index, image] of waiting) results[index] = await publishImage(image, publishing);
  };
  await Promise.all(Array.from({ length: Math.min(jobs, images.length) }, worker));
  return results;
}

function interrupt(running: ReadonlySet<number>, logDir: string): void {
  for (const group of running) {
    try {
      process.kill(-group, "SIGTERM");
    } catch {
      // It has just ended by itself.
    }
  }
  process.stderr.write(`Interrupted; run it again to go on. Logs: ${logDir}\n`);
  process.exit(EXIT.interrupted);
}

/** A table of how each image ended, then the end of the logs of those that failed. */
function report(results: readonly PublishedResult[], tags: readonly string[]): string {
  const row = (name: string, result: string, seconds: string, digest: string, list: string): string =>
    `${name.padEnd(26)} ${result.padEnd(12)} ${seconds.padStart(7)}  ${digest.padEnd(71)}  ${list}\n`;
  const rows = results.map(({ name, result, seconds, digest }) =>
    row(name, result, String(seconds), digest ?? "-", result === "pushed" ? tags.join(", ") : "-"),
  );
  // A refusal has said all there is to say.
  const logs = results
    .filter(({ result }) => result !== "pushed" && result !== "refused")
    .map(({ name, result, log }) => `\n--- ${name}: ${result}; the end of ${log}:\n${endOf(log)}\n`);
  const failed = results.filter(({ result }) => result !== "pushed").length;
  const rest = `\n${failed} of ${results.length} images failed; the others are published. Fix it and run it again.\n`;
  const title = row("IMAGE", "RESULT", "SECONDS", "DIGEST", "TAGS");
  return ["\n", title, ...rows, ...logs, failed > 0 ? rest : ""].join("");
}

/** The last lines of a log. */
function endOf(log: string): string {
  return readFileSync(log, "utf8").trimEnd().split("\n").slice(-15).join("\n");
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = refuse([messageOf(error)]);
}

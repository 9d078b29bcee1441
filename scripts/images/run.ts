import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { messageOf } from "../../problems/wording.ts";
import { type CheckedDocker, findDocker, loginProblem } from "./docker.ts";
import { readOptions, usage, type Options } from "./options.ts";
import {
  compareSources,
  describePublication,
  missingSources,
  type Publication,
  readPublication,
} from "./publication.ts";
import { pushImage, type Pushing, type PushResult } from "./push-image.ts";
import { tagImages } from "./tag-images.ts";

/** Exit codes. */
const EXIT = { published: 0, failed: 1, nothingStarted: 2, interrupted: 130 };

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Builds and pushes the images, and prints what it does.
 *
 * @returns the exit code.
 */
export async function run(args: string[], projectFolder: string): Promise<number> {
  try {
    return await checkAndPublish(args, projectFolder);
  } catch (error) {
    return refuse([messageOf(error)]);
  }
}

async function checkAndPublish(args: string[], projectFolder: string): Promise<number> {
  const problems: string[] = [];
  const options = readOptions(args, problems);
  if (options === "help") {
    process.stdout.write(usage);
    return EXIT.published;
  }
  const what = readPublication(options, projectFolder, problems);
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
    process.stdout.write(describePublication(what, !options.skipBuild));
    return EXIT.published;
  }
  const docker = await findDocker(what, options.skipBuild);
  problems.push(...docker.problems);
  const login = await loginProblem(what);
  if (login !== undefined) problems.push(login);
  if (problems.length > 0) return refuse(problems);
  warn();
  return publish(options, what, docker);
}

function refuse(problems: readonly string[]): number {
  process.stderr.write(`Nothing was started:\n${problems.map((problem) => `  - ${problem}\n`).join("")}`);
  return EXIT.nothingStarted;
}

async function publish(options: Options, what: Publication, docker: CheckedDocker): Promise<number> {
  const logDir = options.logDir ?? mkdtempSync(path.join(tmpdir(), "hyperion-images-"));
  mkdirSync(logDir, { recursive: true });
  const running = new Set<number>();
  const stop = (): void => {
    interrupt(running, logDir);
  };
  for (const signal of SIGNALS) process.once(signal, stop);
  try {
    const { skipBuild } = options;
    const results = await pushAll({ publication: what, docker, skipBuild, logDir, running }, options.jobs);
    const failed = results.filter(({ result }) => result !== "pushed");
    process.stdout.write(report(results));
    if (failed.length > 0) return EXIT.failed;
    process.stdout.write(`${(await tagImages(what, results)).join("\n")}\n`);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return EXIT.failed;
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
  if (options.logDir === undefined) rmSync(logDir, { recursive: true });
  return EXIT.published;
}

/** Pushes every image, several at a time. A failure does not stop the others. */
async function pushAll(pushing: Pushing, jobs: number): Promise<PushResult[]> {
  const { images } = pushing.publication;
  const results: PushResult[] = [];
  const waiting = images.entries();
  const worker = async (): Promise<void> => {
    for (const [index, image] of waiting) results[index] = await pushImage(image, pushing);
  };
  await Promise.all(Array.from({ length: Math.min(jobs, images.length) }, worker));
  return results;
}

function interrupt(running: ReadonlySet<number>, logDir: string): void {
  for (const group of running) {
    try {
      process.kill(-group, "SIGTERM");
    } catch {
      // It has already ended.
    }
  }
  process.stderr.write(`Interrupted; run it again to go on. Logs: ${logDir}\n`);
  process.exit(EXIT.interrupted);
}

/** A table of the results, then the last lines of the failed images' logs. */
function report(results: readonly PushResult[]): string {
  const row = (name: string, result: string, seconds: string): string =>
    `${name.padEnd(26)} ${result.padEnd(12)} ${seconds.padStart(7)}\n`;
  const rows = results.map(({ name, result, seconds }) => row(name, result, String(seconds)));
  const failed = results.filter(({ result }) => result !== "pushed");
  const logs = failed.map(
    ({ name, result, log }) => `\n--- ${name}: ${result}; the end of ${log}:\n${endOf(log)}\n`,
  );
  const rest = `\n${failed.length} of ${results.length} images failed; no tag was set. Fix it and run it again.\n`;
  return ["\n", row("IMAGE", "RESULT", "SECONDS"), ...rows, ...logs, failed.length > 0 ? rest : "\n"].join(
    "",
  );
}

function endOf(log: string): string {
  return readFileSync(log, "utf8").trimEnd().split("\n").slice(-15).join("\n");
}

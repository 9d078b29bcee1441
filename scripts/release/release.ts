import { execa } from "execa";
import * as path from "node:path";
import { describeChanges } from "../../components/images/tags/messages.ts";
import { rollBack } from "../../components/images/tags/roll-back.ts";
import { type Build, setTags } from "../../components/images/tags/set-tags.ts";
import { TagCopy } from "../../components/images/tags/store.ts";
import { BUILD_TAG } from "../../components/images/tags/names.ts";
import type { TagResult } from "../../components/images/tags/run.ts";
import { type Problem, problemsError } from "../../problems/problem.ts";
import { PULUMI } from "../../problems/setting-commands.ts";
import { messageOf } from "../../problems/wording.ts";
import { imagesInStateReport } from "../ci/images-in-state.ts";
import { ownTagStore, stackRepository } from "../lib/own-registry.ts";
import { ask, confirm } from "../lib/terminal.ts";
import { newVersionProblems, overwriteProblems, stackProblems, treeProblems } from "./checks.ts";
import { pulumi } from "./pulumi.ts";
import type { StackFile } from "./stack-file.ts";

export interface ReleaseRequest {
  version: string;
  /** The line to go back in; undefined: the narrowest with a version above. */
  line?: string | undefined;
  dryRun: boolean;
  /** Do not ask. */
  yes: boolean;
  root: string;
  defaultStack: string;
  /** Called before the first change that is not undone. */
  begin: () => void;
}

export type Outcome = "done" | "only shown" | "declined" | "failed";

/**
 * Publishes a new version with `pulumi up`. Restores the stack's file unless `up` started: from then on a part of the version
 * can be published.
 */
export async function publish(release: ReleaseRequest, stack: StackFile): Promise<Outcome> {
  const { version, dryRun, yes } = release;
  await checkPublish(release, stack, async () => newVersionProblems(version, await storeOf(stack).read()));
  let started = false;
  try {
    stack.setVersion(version);
    if (!(await pulumi("preview", ...quietly(stack)))) return "failed";
    if (dryRun) return "only shown";
    if (!yes && !(await confirm(`Publish ${version} on the stack ${stack.stack}?`))) return "declined";
    started = true;
    release.begin();
    return (await pulumi("up", "--yes", "--skip-preview", ...quietly(stack))) ? "done" : "failed";
  } finally {
    if (!started) stack.restore();
  }
}

/**
 * Moves a published version to a build of the current sources. Builds with an `up` that names no version. The same command
 * finishes a killed run.
 */
export async function overwrite(release: ReleaseRequest, stack: StackFile): Promise<Outcome> {
  const { version, dryRun, yes } = release;
  const store = storeOf(stack);
  await checkPublish(release, stack, async () => overwriteProblems(version, await store.read()));
  let done = false;
  try {
    stack.setVersion(undefined);
    if (!(await pulumi("preview", ...quietly(stack)))) return "failed";
    console.log(`\nThen ${version} moves to these builds, for everyone who pinned it by tag.`);
    if (dryRun) return "only shown";
    if (!yes && (await ask(`Type ${version} to overwrite it on the stack ${stack.stack}:`)) !== version)
      return "declined";
    release.begin();
    if (!(await pulumi("up", "--yes", "--skip-preview", ...quietly(stack)))) return "failed";
    const registry = await store.read();
    const builds = new Map<string, Build>();
    for (const [image, tags] of registry) {
      const digest = tags.get(BUILD_TAG);
      if (digest !== undefined)
        builds.set(image, { digest, platforms: await store.platforms(image, digest) });
    }
    printResult(await setTags(store, { registry, release: { version }, builds, overwrite: true }));
    stack.setVersion(version);
    done = true;
    return "done";
  } finally {
    if (!done) stack.restore();
  }
}

/** Moves the floating tags back to a published version. Needs no Docker engine, no plugin and no state. */
export async function rollBackTo(release: ReleaseRequest, stack: StackFile): Promise<Outcome> {
  const { version, line, dryRun, yes } = release;
  const store = storeOf(stack);
  const planned = await rollBack(new TagCopy(await store.read()), version, line);
  const changes = [...describeChanges(planned), ...planned.notes];
  console.log(
    changes.length === 0 ? `The floating tags of ${version} are already right.` : changes.join("\n"),
  );
  if (dryRun) return "only shown";
  if (changes.length > 0 && !yes && !(await confirm(`Go back to ${version}?`))) return "declined";
  release.begin();
  const result = await rollBack(store, version, line);
  if (changes.length > 0) {
    console.log("\nDone:");
    printResult(result);
  }
  stack.setVersion(version);
  return "done";
}

/** The command that commits the stack's file; undefined if git does not track it. */
export async function commitCommand({ file }: StackFile, subject: string): Promise<string | undefined> {
  const [cwd, name] = [path.dirname(file), path.basename(file)];
  const { failed } = await execa("git", ["ls-files", "--error-unmatch", name], { cwd, reject: false });
  return failed ? undefined : `git commit --message "${subject}" ${name}`;
}

async function checkPublish(
  { version, root, defaultStack }: ReleaseRequest,
  stack: StackFile,
  versionProblems: () => Promise<Problem[]>,
): Promise<void> {
  if (!stack.settings.flag("manageRegistry")) await checkState(stack.stack, version);
  const sources = path.resolve(root, stack.settings.text("sourceDir"));
  const problems = [
    ...stack.leftovers(),
    ...stackProblems(stack, version, defaultStack),
    ...(await treeProblems(sources, path.basename(stack.file))),
    ...(await versionProblems()),
  ];
  if (problems.length > 0) throw problemsError(problems);
}

/** CI can write this state, and Pulumi would run what it names here. The check itself loads no plugin. */
async function checkState(stack: string, version: string): Promise<void> {
  const { stdout } = await execa("pulumi", ["stack", "export", "--stack", stack]).catch((error: unknown) => {
    if (!messageOf(error).includes("no stack named")) throw error;
    throw problemsError([
      {
        where: "--stack",
        found: `${stack}, which is not in this state`,
        allowed: `a stack that ${PULUMI} stack ls lists`,
        fix: `npm run release -- ${version} --stack NAME`,
      },
    ]);
  });
  imagesInStateReport(stdout);
}

function storeOf({ settings }: StackFile) {
  return ownTagStore(stackRepository(settings));
}

function printResult(result: TagResult): void {
  console.log([...describeChanges(result), ...result.notes].join("\n"));
}

const quietly = ({ stack }: StackFile): string[] => ["--suppress-outputs", "--stack", stack];

import { execa } from "execa";
import { nextVersion } from "../../components/images/tags/messages.ts";
import { ownTags, versionBuildTag } from "../../components/images/tags/names.ts";
import {
  isStarted,
  isWithdrawn,
  type RegistryTags,
  versionDigests,
} from "../../components/images/tags/versions.ts";
import type { Problem } from "../../problems/problem.ts";
import { configRemove, releaseCommand, settingKey } from "../../problems/setting-commands.ts";
import type { StackFile } from "./stack-file.ts";

/** The reasons against releasing a version, by the tags of the registry. A version that a run did not finish is allowed. */
export function newVersionProblems(version: string, registry: RegistryTags): Problem[] {
  const next = nextVersion(version, registry);
  if (isWithdrawn(registry, version)) return [withdrawnProblem(version, next)];
  const digests = versionDigests(registry, version);
  const isFinished =
    isStarted(registry, version) &&
    [...digests.keys()].every((image) => ownTags(version).every((tag) => registry.get(image)?.has(tag)));
  if (!isFinished) return [];
  return [
    {
      where: version,
      found: "already published",
      allowed: "a new version: a published one never moves",
      fix: `${releaseCommand(next)}   # or, to go back to it: ${releaseCommand(version, "--rollback")}`,
    },
  ];
}

/** The reasons against overwriting a version. */
export function overwriteProblems(version: string, registry: RegistryTags): Problem[] {
  if (isWithdrawn(registry, version)) return [withdrawnProblem(version, nextVersion(version, registry))];
  if (
    isStarted(registry, version) ||
    [...registry.values()].some((tags) => tags.has(versionBuildTag(version)))
  )
    return [];
  return [
    {
      where: version,
      found: "a version that is not published",
      allowed: "a published version",
      fix: releaseCommand(version),
    },
  ];
}

function withdrawnProblem(version: string, next: string): Problem {
  return {
    where: version,
    found: "a version that is withdrawn",
    allowed: "a version that is not withdrawn: a pinned version must not change",
    fix: releaseCommand(next),
  };
}

/** A stack without images cannot release. */
export function stackProblems({ stack, settings }: StackFile, version: string, fallback: string): Problem[] {
  if (settings.flag("publishImages")) return [];
  return [
    {
      where: settingKey("publishImages"),
      found: `false on the stack ${stack}`,
      allowed: "a stack that publishes images",
      fix:
        stack === fallback
          ? configRemove("publishImages")
          : `npm run release -- ${version}   # on ${fallback}`,
    },
  ];
}

/** Most files that a message names. */
const NAMED = 5;

/**
 * Uncommitted changes in the sources: a release is of a commit.
 *
 * @param except the stack's file, in which an earlier try can leave the version.
 */
export async function treeProblems(folder: string, except: string): Promise<Problem[]> {
  const args = ["status", "--porcelain", "--", ".", `:(top,exclude,glob)**/${except}`];
  const { failed, stdout, stderr } = await execa("git", args, { cwd: folder, reject: false });
  if (failed)
    return [
      {
        where: folder,
        found: `sources that git cannot read (${stderr.split("\n")[0] ?? ""})`,
        allowed: "committed sources",
        fix: `git -C ${folder} status`,
      },
    ];
  if (stdout === "") return [];
  const files = stdout.split("\n").map((line) => line.slice(3));
  const named = [...files.slice(0, NAMED), ...(files.length > NAMED ? ["..."] : [])].join(", ");
  return [
    {
      where: folder,
      found: `changes that are not committed: ${named}`,
      allowed: "none: a release is of a commit",
      fix: `git -C ${folder} commit --all   # or: git -C ${folder} stash --include-untracked`,
    },
  ];
}

import compare from "semver/functions/compare.js";
import { type Problem, problemsError } from "../../../problems/problem.ts";
import { releaseCommand, reportCommand } from "../../../problems/setting-commands.ts";
import { shown } from "../../../problems/wording.ts";
import type { TagStore } from "./store.ts";
import { lineNotes } from "./messages.ts";
import { type TagResult, TagRun } from "./run.ts";
import { type Line, lines, withdrawnTag } from "./names.ts";
import {
  isStarted,
  isWithdrawn,
  mentionedVersions,
  type RegistryTags,
  startedVersions,
  type TagTarget,
} from "./versions.ts";

/**
 * Moves the floating tags back to a version by withdrawing the versions above it in one of its lines. Repeating a
 * rollback changes nothing.
 *
 * @param line the tag of the line. Default: the narrowest line that has a higher version, withdrawn or not.
 * @throws one error if the version is not complete or is withdrawn.
 */
export async function rollBack(store: TagStore, version: string, line?: string): Promise<TagResult> {
  const run = new TagRun(store, await store.read());
  const problems = rollbackProblems(run.tags, version, line);
  if (problems.length > 0) throw problemsError(problems);
  const back = rollbackLine(run.tags, version, line);
  if (back !== undefined) await run.setAll(withdrawals(run.tags, version, back));
  await run.settle(lines(version));
  run.notes.push(...lineNotes(run.tags, lines(version)));
  return run.result();
}

function rollbackLine(tags: RegistryTags, version: string, wanted: string | undefined): Line | undefined {
  const above = mentionedVersions(tags).filter(
    (other) => compare(other, version) > 0 && (isStarted(tags, other) || isWithdrawn(tags, other)),
  );
  return lines(version).find(({ tag, holds }) => (wanted === undefined ? above.some(holds) : tag === wanted));
}

/** The tags that withdraw the higher versions of a line. */
function withdrawals(tags: RegistryTags, version: string, line: Line): TagTarget[] {
  return startedVersions(tags)
    .filter((other) => compare(other.version, version) > 0 && line.holds(other.version))
    .flatMap((other) =>
      [...other.digests].map(([image, digest]) => ({ image, tag: withdrawnTag(other.version), digest })),
    )
    .filter(({ image, tag }) => tags.get(image)?.has(tag) !== true);
}

function rollbackProblems(tags: RegistryTags, version: string, line: string | undefined): Problem[] {
  const own = lines(version).map(({ tag }) => tag);
  if (own.length === 0)
    return [
      {
        where: version,
        found: "a prerelease",
        allowed: "a stable version: a prerelease has no floating tags",
        fix: report(),
      },
    ];
  const found = startedVersions(tags).find((one) => one.version === version);
  const state =
    found === undefined
      ? "a version that is not published"
      : found.withdrawn
        ? "a version that is withdrawn itself"
        : found.complete
          ? undefined
          : "a version that is published in part";
  return [
    ...(state === undefined
      ? []
      : [
          {
            where: version,
            found: state,
            allowed: "a complete version that is not withdrawn",
            fix: report(),
          },
        ]),
    ...(line === undefined || own.includes(line)
      ? []
      : [
          {
            where: "--line",
            found: shown(line),
            allowed: `a line of ${version}: ${own.join(", ")}`,
            fix: releaseCommand(version, "--rollback", "--line", own.at(0) ?? "latest"),
          },
        ]),
  ];
}

const report = (): string =>
  `${reportCommand()}   # lists the versions; then: ${releaseCommand("VERSION", "--rollback")}`;

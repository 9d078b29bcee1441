import { execa } from "execa";
import { catalogue } from "../../components/images/catalogue.ts";
import { nextVersion, planRelease } from "../../components/images/plan.ts";
import { publishedVersion, type RegistryTags } from "../../components/images/published.ts";
import type { Problem } from "../../problems/problem.ts";
import type { ImageVersion } from "../report/content.ts";

/** The tags of the catalogue's images, as the rules of a release take them. */
export function registryTags(versions: readonly ImageVersion[]): RegistryTags {
  return new Map(
    catalogue.images.map(({ name }) => [
      name,
      new Map(
        versions
          .filter(({ image }) => image === name)
          .flatMap(({ tags, digest }) => tags.map((tag): [string, string] => [tag, digest])),
      ),
    ]),
  );
}

/** What keeps a version from being released, or from being gone back to, by what the registry holds. */
export function versionProblems(version: string, rollback: boolean, registry: RegistryTags): Problem[] {
  const { problems } = planRelease(
    { version, edge: false, rollback, allowVersionOverwrite: false },
    registry,
  );
  if (problems.length > 0 || rollback) return [...problems];
  const found = publishedVersion(registry, version);
  // One that a run began and did not finish is finished by the next.
  if (found?.complete !== true || !found.announced) return [];
  return [
    {
      where: version,
      found: "published already",
      allowed: "a version that is new: a published one never moves",
      fix: `npm run release -- ${nextVersion(version)}   # or, to go back to it: npm run release -- ${version} --rollback`,
    },
  ];
}

/** Most files that a message names. */
const NAMED = 5;

/**
 * What is not committed in the sources: a release is of a commit.
 *
 * @param except a file that may be: the stack's, in which an earlier try left the version.
 */
export async function treeProblems(folder: string, except: string): Promise<Problem[]> {
  const args = ["status", "--porcelain", "--", ".", `:(top,exclude,glob)**/${except}`];
  const { failed, stdout, stderr } = await execa("git", args, { cwd: folder, reject: false });
  if (failed)
    return [
      {
        where: folder,
        found: `nothing that git can look at (${stderr.split("\n")[0] ?? ""})`,
        allowed: "sources that a commit names",
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

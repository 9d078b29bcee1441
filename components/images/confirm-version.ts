import inc from "semver/functions/inc.js";
import { z } from "zod";
import { callGoogle, refusal } from "../../google/client.ts";
import { artifactRegistry } from "../../google/apis.ts";
import { type Problem, problemsError } from "../../problems/problem.ts";
import { repositoryName } from "../../google/full-names.ts";

/** What became of a run that stops here: builds are pushed by then. */
const NO_TAG = "no tag was set";

const tagAnswer = z.object({ version: z.string() });

/** The repository and the version that is about to be published in it. */
export interface VersionToPublish {
  project: string;
  location: string;
  repositoryId: string;
  version: string;
}

/**
 * Refuses to move a version that is published already: its users pinned it.
 *
 * @param references the builds by digest, `host/project/repository/image@sha256:...`.
 * @throws one error that names, for each image whose version would move, both digests and the ways out.
 */
export async function refuseMovedVersion(
  target: VersionToPublish,
  references: readonly string[],
): Promise<void> {
  const problems = await Promise.all(references.map((reference) => movedVersion(target, reference)));
  const moved = problems.filter((problem) => problem !== undefined);
  if (moved.length > 0) throw problemsError(moved, NO_TAG);
}

/**
 * The builds, by digest, that a version was published from.
 *
 * @param references builds of the same images.
 * @throws one error that names each image that was never published under the version.
 */
export async function publishedReferences(
  target: VersionToPublish,
  references: readonly string[],
): Promise<string[]> {
  const problems: Problem[] = [];
  const published = await Promise.all(
    references.map(async (reference) => {
      const { repositoryPath, image } = splitReference(reference);
      const digest = await publishedDigest(target, image);
      if (digest === undefined) {
        problems.push({
          where: `${image}:${target.version}`,
          found: "not published, so that there is nothing to go back to",
          allowed: "a version that is in the registry",
          fix: `gcloud artifacts docker tags list ${repositoryPath}   # then: pulumi config set hyperion-registry:version VERSION`,
        });
      }
      return `${repositoryPath}@${digest ?? ""}`;
    }),
  );
  if (problems.length > 0) throw problemsError(problems, NO_TAG);
  return published;
}

function splitReference(reference: string): { repositoryPath: string; image: string; digest: string } {
  const [repositoryPath = "", digest = ""] = reference.split("@");
  return { repositoryPath, image: repositoryPath.replace(/^.*\//, ""), digest };
}

async function movedVersion(target: VersionToPublish, reference: string): Promise<Problem | undefined> {
  const { image, digest: built } = splitReference(reference);
  const published = await publishedDigest(target, image);
  if (published === undefined || published === built) return undefined;
  return {
    where: `${image}:${target.version}`,
    found: `published already as ${published}; this build is ${built}`,
    allowed:
      "a version that is not published yet: a published one never moves, and sources that did not change count as the same only while the stack's state holds their build",
    fix: [
      `pulumi config set hyperion-registry:version ${inc(target.version, "patch") ?? "NEXT"}`,
      "           or, to move it under those who pinned it: pulumi config set hyperion-registry:allowVersionOverwrite true",
    ].join("\n"),
  };
}

async function publishedDigest(target: VersionToPublish, image: string): Promise<string | undefined> {
  const { project, location, repositoryId, version } = target;
  const path = `${repositoryName(project, location, repositoryId)}/packages/${image}/tags/${version}`;
  const answer = await callGoogle(artifactRegistry, path);
  const { status, body } = answer;
  if (status === 404) return undefined;
  if (status === 200) return tagAnswer.parse(body).version.replace(/^.*\//, "");
  throw problemsError(
    [
      {
        where: `${image}:${version}`,
        found: `Artifact Registry answered ${refusal(answer)} to the question whether it is published`,
        allowed: "an account that may read the repository's tags (roles/artifactregistry.reader)",
        fix: "gcloud auth application-default login",
      },
    ],
    NO_TAG,
  );
}

import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { artifactRegistry } from "../../google/apis.ts";
import { callGoogle, type GoogleAnswer, refusal } from "../../google/client.ts";
import { type Problem, problemsError } from "../../problems/problem.ts";
import { candidateTag, isVersion, prefixedTag } from "./tags.ts";

const page = z.object({
  dockerImages: z.array(z.object({ uri: z.string(), tags: z.array(z.string()).default([]) })).default([]),
  nextPageToken: z.string().optional(),
});

/** Most that the API gives at once (v1, projects.locations.repositories.dockerImages.list). */
const PAGE_SIZE = 1000;

/** The tags by which cleanup knows a version. One whose release did not end has the second: `v1.4.2` would end it. */
const KEPT_BY = [prefixedTag, candidateTag];

/** A version of an image that lacks the tag by which cleanup knows it. */
interface Unprefixed {
  /** The image without a tag, `us-central1-docker.pkg.dev/my-project/my-repository/hyperion-ui`. */
  reference: string;
  digest: string;
  /** `1.4.2` */
  version: string;
}

/**
 * Sets the tag `v1.4.2` on every image that was published as 1.4.2 without it: by hand, or before there were such tags.
 * To be called before cleanup begins to delete what has a tag; at preview it only says what it will do.
 *
 * @param repository full name of the repository.
 * @throws one error with the command for every tag that could not be set.
 */
export async function prefixPublished(repository: string): Promise<void> {
  const unprefixed = await listUnprefixed(repository);
  if (unprefixed.length === 0) return;
  const versions = [...new Set(unprefixed.map(({ version }) => prefixedTag(version)))].join(", ");
  const why = "Cleanup keeps a release by its tag v..., which these were published without";
  if (pulumi.runtime.isDryRun()) {
    void pulumi.log.info(`${why}: pulumi up will set ${versions}.`);
    return;
  }
  const problems = await Promise.all(unprefixed.map((one) => prefix(repository, one)));
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw problemsError(found, "cleanup was not changed");
  void pulumi.log.info(`${why}: set ${versions}.`);
}

async function listUnprefixed(repository: string): Promise<Unprefixed[]> {
  const found: Unprefixed[] = [];
  let token: string | undefined = "";
  while (token !== undefined) {
    const query: string = new URLSearchParams({ pageSize: String(PAGE_SIZE), pageToken: token }).toString();
    const answer = await callGoogle(artifactRegistry, `${repository}/dockerImages?${query}`);
    if (answer.status !== 200) throw problemsError([unlisted(repository, answer)]);
    const { dockerImages, nextPageToken } = page.parse(answer.body);
    for (const { uri, tags } of dockerImages) {
      const [reference = "", digest = ""] = uri.split("@");
      for (const version of tags)
        if (isVersion(version) && !KEPT_BY.some((tagOf) => tags.includes(tagOf(version))))
          found.push({ reference, digest, version });
    }
    token = nextPageToken === "" ? undefined : nextPageToken;
  }
  return found;
}

async function prefix(
  repository: string,
  { reference, digest, version }: Unprefixed,
): Promise<Problem | undefined> {
  const tag = prefixedTag(version);
  const image = `${repository}/packages/${encodeURIComponent(reference.split("/").slice(3).join("/"))}`;
  const answer = await callGoogle(artifactRegistry, `${image}/tags?tagId=${tag}`, {
    method: "POST",
    body: { version: `${image}/versions/${digest}` },
  });
  // Another run was quicker.
  if (answer.status === 200 || answer.status === 409) return undefined;
  return {
    where: `${reference}:${tag}`,
    found: `Artifact Registry answered ${refusal(answer)} where it was to be set`,
    allowed:
      "an account that may set tags (roles/artifactregistry.writer): without it cleanup would delete the release",
    fix: `gcloud artifacts docker tags add ${reference}:${version} ${reference}:${tag}`,
  };
}

function unlisted(repository: string, answer: GoogleAnswer): Problem {
  return {
    where: repository,
    found: `Artifact Registry answered ${refusal(answer)} to the question which releases cleanup has to keep`,
    allowed: "an account that may list its images (roles/artifactregistry.reader)",
    fix: "gcloud auth application-default login",
  };
}

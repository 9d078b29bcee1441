import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { messageOf } from "../../problems/wording.ts";
import { artifactRegistry } from "../../google/apis.ts";
import {
  callGoogle,
  type GoogleAnswer,
  type GoogleCall,
  isApiDisabled,
  refusal,
} from "../../google/client.ts";
import { repositoryName } from "../../google/full-names.ts";
import { problemsError } from "../../problems/problem.ts";
import type { Mark, RegistryTags } from "./published.ts";

/** The repository whose tags are asked for or set. */
export interface Registry {
  project: string;
  location: string;
  repositoryId: string;
}

/** Most tags in an answer (https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages.tags/list). */
const PAGE_SIZE = 1000;

const tagPage = z.object({
  tags: z.array(z.object({ name: z.string(), version: z.string() })).default([]),
  nextPageToken: z.string().default(""),
});

/**
 * The tags of each image as they are now: one request an image, and one for every further thousand of tags. An image that
 * was never pushed has none, nor has one of a repository that does not exist yet.
 *
 * @param recorded the tags that the state has. While the API is disabled nobody can know better: they are taken for the
 *   registry's, in one line; where there are none, there are none.
 * @throws one error where Artifact Registry does not answer which tags an image has.
 */
export async function readRegistryTags(
  registry: Registry,
  images: readonly string[],
  recorded?: Promise<RegistryTags>,
): Promise<RegistryTags> {
  const answers = await Promise.all(
    images.map(async (image) => ({ image, ...(await tagsOf(registry, image)) })),
  );
  const [unknown] = answers.flatMap(({ image, disabled }) => (disabled ? [{ image, disabled }] : []));
  if (unknown === undefined) return new Map(answers.map(({ image, tags }) => [image, tags]));
  const state: RegistryTags = (await recorded) ?? new Map();
  if (state.size > 0)
    void pulumi.log.info(
      `Artifact Registry answered ${refusal(unknown.disabled)} to the question which tags ${unknown.image} has; the tags are taken to be as the state has them.`,
    );
  return new Map(images.map((image) => [image, state.get(image) ?? new Map<string, string>()]));
}

/** @returns the tags, or the answer that the API is disabled. */
async function tagsOf(
  registry: Registry,
  image: string,
): Promise<{ tags: Map<string, string>; disabled?: GoogleAnswer }> {
  const tags = new Map<string, string>();
  let token = "";
  do {
    const query = `pageSize=${PAGE_SIZE}${token === "" ? "" : `&pageToken=${encodeURIComponent(token)}`}`;
    const answer = await ask(`${packageName(registry, image)}/tags?${query}`, {}, (found) =>
      unread(registry, image, found, NO_ANSWER),
    );
    if (answer.status === 404) return { tags };
    if (isApiDisabled(answer)) return { tags, disabled: answer };
    if (answer.status !== 200) {
      const wayOut = [401, 403].includes(answer.status) ? MAY_NOT_READ : NO_ANSWER;
      throw unread(registry, image, `answered ${refusal(answer)}`, wayOut);
    }
    const page = tagPage.parse(answer.body);
    for (const { name, version } of page.tags) tags.set(lastPart(name), lastPart(version));
    token = page.nextPageToken;
  } while (token !== "");
  return { tags };
}

/** @param told the error for where nobody answers. */
async function ask(path: string, call: GoogleCall, told: (found: string) => Error): Promise<GoogleAnswer> {
  try {
    return await callGoogle(artifactRegistry, path, call);
  } catch (error) {
    throw told(`did not answer (${messageOf(error)})`);
  }
}

/**
 * Puts tags on digests, side by side; a tag that is elsewhere moves.
 *
 * @throws one error where Artifact Registry refuses one; the others are set, as far as it does not refuse them.
 */
export async function setTags(registry: Registry, marks: readonly Mark[]): Promise<void> {
  const set = marks.map((mark) => setTag(registry, mark));
  await Promise.allSettled(set);
  await Promise.all(set);
}

async function setTag(registry: Registry, mark: Mark): Promise<void> {
  const name = packageName(registry, mark.image);
  const body = { name: `${name}/tags/${mark.tag}`, version: `${name}/versions/${mark.digest}` };
  const told = (found: string): Error => unset(mark, found);
  const created = await ask(`${name}/tags?tagId=${mark.tag}`, { method: "POST", body }, told);
  const answer =
    created.status === 409
      ? await ask(`${body.name}?updateMask=version`, { method: "PATCH", body }, told)
      : created;
  if (answer.status !== 200) throw unset(mark, `answered ${refusal(answer)}`);
}

/** Full name of an image, as the API has it. */
function packageName({ project, location, repositoryId }: Registry, image: string): string {
  return `${repositoryName(project, location, repositoryId)}/packages/${image}`;
}

function lastPart(name: string): string {
  return name.replace(/^.*\//, "");
}

const MAY_NOT_READ = {
  allowed: "an account that may read the repository's tags (roles/artifactregistry.reader)",
  fix: "gcloud auth application-default login",
};

const NO_ANSWER = {
  allowed: "an Artifact Registry that answers",
  fix: "the same command again, once it does: https://status.cloud.google.com",
};

function unread({ repositoryId }: Registry, image: string, found: string, wayOut: typeof NO_ANSWER): Error {
  const question = `Artifact Registry ${found} to the question which tags it has`;
  return problemsError([{ where: `${repositoryId}/${image}`, found: question, ...wayOut }]);
}

function unset({ image, tag, digest }: Mark, found: string): Error {
  return problemsError(
    [
      {
        where: `${image}:${tag}`,
        found: `Artifact Registry ${found} to the request to put it on ${digest}`,
        allowed: "an account that may set the repository's tags (roles/artifactregistry.writer)",
        fix: "gcloud auth application-default login   # then run it again: it goes on where it stopped",
      },
    ],
    "what was set stays",
  );
}

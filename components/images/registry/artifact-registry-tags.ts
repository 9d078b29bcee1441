import { RunError } from "@pulumi/pulumi";
import { z } from "zod";
import { artifactRegistry } from "../../../google/apis.ts";
import {
  callGoogle,
  type GoogleAnswer,
  type GoogleCall,
  isApiDisabled,
  describeAnswer,
} from "../../../google/client.ts";
import { repositoryName, type RepositoryPlace } from "../../../google/full-names.ts";
import { problemsError } from "../../../problems/problem.ts";
import { messageOf } from "../../../problems/wording.ts";
import { catalogue } from "../catalogue.ts";
import type { TagStore } from "../tags/store.ts";
import type { RegistryTags, TagTarget } from "../tags/versions.ts";
import { indexPlatforms, putTag, rebuildCommand } from "./manifests.ts";
import type { ImageRegistry } from "./image-registry.ts";

/**
 * The most tags that one response can hold
 * (https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages.tags/list).
 */
const PAGE_SIZE = 1000;

const tagPage = z.object({
  tags: z.array(z.object({ name: z.string(), version: z.string() })).default([]),
  nextPageToken: z.string().default(""),
});

/** Statuses of a server that does not support a request. */
const UNKNOWN_REQUEST: ReadonlySet<number> = new Set([400, 405, 501]);

/** Reads and sets the tags of a repository through Artifact Registry's API. */
export class ArtifactRegistryTags implements TagStore {
  readonly lagMs = 100;
  readonly #repository: RepositoryPlace;
  readonly #images: readonly string[];
  readonly #registry: () => Promise<ImageRegistry>;

  /**
   * @param registry reads the platforms of an index, which the API does not return.
   * @param images default: those of the catalogue.
   */
  constructor(
    repository: RepositoryPlace,
    registry: () => Promise<ImageRegistry>,
    images: readonly string[] = catalogue.images.map(({ name }) => name),
  ) {
    this.#repository = repository;
    this.#registry = registry;
    this.#images = images;
  }

  /**
   * Sends one request for each image and each further thousand of its tags. An image has no tags if it was never pushed,
   * if the repository does not exist yet or if the API is disabled.
   *
   * @throws one error if Artifact Registry does not return the tags.
   */
  async read(): Promise<RegistryTags> {
    return new Map(
      await Promise.all(
        this.#images.map(async (image) => [image, await readTags(this.#repository, image)] as const),
      ),
    );
  }

  async create(target: TagTarget): Promise<boolean> {
    const { name, body } = this.#request(target);
    const answer = await ask(`${name}/tags?tagId=${target.tag}`, { method: "POST", body }, (found) =>
      setError(target, found),
    );
    if (answer.status === 409) return false;
    if (answer.status === 200) return true;
    const wayOut = answer.status === 404 ? noImage() : NOT_WRITER;
    throw setError(target, `answered ${describeAnswer(answer)}`, wayOut);
  }

  async set(target: TagTarget, exists: boolean): Promise<void> {
    if (!exists && (await this.create(target))) return;
    const { body } = this.#request(target);
    const answer = await ask(`${body.name}?updateMask=version`, { method: "PATCH", body }, (found) =>
      setError(target, found),
    );
    if (answer.status === 200) return;
    // The tag was deleted after the list was read.
    if (answer.status === 404 && (await this.create(target))) return;
    // gcloud does not use this request for Docker repositories, so Google may not support it.
    if (UNKNOWN_REQUEST.has(answer.status)) await putTag(await this.#registry(), target);
    else throw setError(target, `answered ${describeAnswer(answer)}`);
  }

  async platforms(image: string, digest: string): Promise<ReadonlyMap<string, string>> {
    return indexPlatforms(await this.#registry(), image, digest);
  }

  #request({ image, tag, digest }: TagTarget) {
    const name = packageName(this.#repository, image);
    return { name, body: { name: `${name}/tags/${tag}`, version: `${name}/versions/${digest}` } };
  }
}

async function readTags(repository: RepositoryPlace, image: string): Promise<Map<string, string>> {
  const tags = new Map<string, string>();
  let token = "";
  do {
    const query = `pageSize=${PAGE_SIZE}${token === "" ? "" : `&pageToken=${encodeURIComponent(token)}`}`;
    const answer = await ask(`${packageName(repository, image)}/tags?${query}`, {}, (found) =>
      readError(repository, image, found, NO_ANSWER),
    );
    if (answer.status === 404 || isApiDisabled(answer)) return tags;
    if (answer.status !== 200) {
      const wayOut = [401, 403].includes(answer.status) ? NO_PERMISSION : NO_ANSWER;
      throw readError(repository, image, `answered ${describeAnswer(answer)}`, wayOut);
    }
    const page = tagPage.parse(answer.body);
    for (const { name, version } of page.tags) tags.set(lastPart(name), lastPart(version));
    token = page.nextPageToken;
  } while (token !== "");
  return tags;
}

/** @param failure makes the error for a server that does not answer. */
async function ask(path: string, call: GoogleCall, failure: (found: string) => Error): Promise<GoogleAnswer> {
  try {
    return await callGoogle(artifactRegistry, path, call);
  } catch (error) {
    // The error already explains the login problem.
    if (error instanceof RunError) throw error;
    throw failure(`did not answer (${messageOf(error)})`);
  }
}

/** Full name of an image in the API. */
function packageName(repository: RepositoryPlace, image: string): string {
  return `${repositoryName(repository)}/packages/${image}`;
}

function lastPart(name: string): string {
  return name.replace(/^.*\//, "");
}

const NO_PERMISSION = {
  allowed: "an account with permission to read the repository's tags (roles/artifactregistry.reader)",
  fix: "gcloud auth application-default login",
};

const NO_ANSWER = {
  allowed: "an Artifact Registry that answers",
  fix: "the same command again, once it does: https://status.cloud.google.com",
};

function readError(
  { repositoryId }: RepositoryPlace,
  image: string,
  found: string,
  wayOut: typeof NO_ANSWER,
): Error {
  const question = `Artifact Registry ${found} to the question which tags it has`;
  return problemsError([{ where: `${repositoryId}/${image}`, found: question, ...wayOut }]);
}

const NOT_WRITER = {
  allowed: "an account with permission to set the repository's tags (roles/artifactregistry.writer)",
  fix: "gcloud auth application-default login   # then the same command again: it continues where it stopped",
};

const noImage = (): typeof NOT_WRITER => ({
  allowed: "an image that is still in the registry",
  fix: rebuildCommand(),
});

function setError({ image, tag, digest }: TagTarget, found: string, wayOut = NOT_WRITER): Error {
  const question = `Artifact Registry ${found} to the request to put it on ${digest}`;
  return problemsError([{ where: `${image}:${tag}`, found: question, ...wayOut }], "what was set stays");
}

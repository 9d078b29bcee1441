import { RunError } from "@pulumi/pulumi";
import { z } from "zod";
import { artifactRegistry } from "../../../google/apis.ts";
import {
  callGoogle,
  type GoogleAnswer,
  type GoogleCall,
  isApiDisabled,
  refusal,
} from "../../../google/client.ts";
import { repositoryName } from "../../../google/full-names.ts";
import { problemsError } from "../../../problems/problem.ts";
import { messageOf } from "../../../problems/wording.ts";
import type { TagStore } from "../tags/store.ts";
import type { RegistryTags, TagTarget } from "../tags/versions.ts";
import { indexPlatforms, putTag } from "./manifests.ts";
import type { ImageRegistry } from "./image-registry.ts";

/** A repository of Artifact Registry. */
export interface Repository {
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

/** Statuses by which a server says that it does not know a request. */
const UNKNOWN_REQUEST: ReadonlySet<number> = new Set([400, 405, 501]);

/** The tags of a repository, by Artifact Registry's API. */
export class ArtifactRegistryTags implements TagStore {
  readonly lagMs = 100;
  readonly #repository: Repository;
  readonly #images: readonly string[];
  readonly #registry: () => Promise<ImageRegistry>;

  /**
   * @param registry the same repository by the registry's own protocol, for what the API does not say: the platforms of
   *   an index.
   */
  constructor(repository: Repository, images: readonly string[], registry: () => Promise<ImageRegistry>) {
    this.#repository = repository;
    this.#images = images;
    this.#registry = registry;
  }

  /**
   * One request an image, and one for every further thousand of tags. An image that was never pushed has no tags; nor has
   * one of a repository that does not exist yet, or while the API is disabled.
   *
   * @throws one error if Artifact Registry does not answer which tags an image has.
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
      unset(target, found),
    );
    if (answer.status === 409) return false;
    if (answer.status !== 200) throw unset(target, `answered ${refusal(answer)}`);
    return true;
  }

  async set(target: TagTarget, exists: boolean): Promise<void> {
    if (!exists && (await this.create(target))) return;
    const { body } = this.#request(target);
    const answer = await ask(`${body.name}?updateMask=version`, { method: "PATCH", body }, (found) =>
      unset(target, found),
    );
    if (answer.status === 200) return;
    // The tag was deleted since the list was read.
    if (answer.status === 404 && (await this.create(target))) return;
    // gcloud never moves a tag of a Docker repository by this request, so that Google may not know it.
    if (UNKNOWN_REQUEST.has(answer.status)) await putTag(await this.#registry(), target);
    else throw unset(target, `answered ${refusal(answer)}`);
  }

  async platforms(image: string, digest: string): Promise<ReadonlyMap<string, string>> {
    return indexPlatforms(await this.#registry(), image, digest);
  }

  #request({ image, tag, digest }: TagTarget) {
    const name = packageName(this.#repository, image);
    return { name, body: { name: `${name}/tags/${tag}`, version: `${name}/versions/${digest}` } };
  }
}

async function readTags(repository: Repository, image: string): Promise<Map<string, string>> {
  const tags = new Map<string, string>();
  let token = "";
  do {
    const query = `pageSize=${PAGE_SIZE}${token === "" ? "" : `&pageToken=${encodeURIComponent(token)}`}`;
    const answer = await ask(`${packageName(repository, image)}/tags?${query}`, {}, (found) =>
      unread(repository, image, found, NO_ANSWER),
    );
    if (answer.status === 404 || isApiDisabled(answer)) return tags;
    if (answer.status !== 200) {
      const wayOut = [401, 403].includes(answer.status) ? MAY_NOT_READ : NO_ANSWER;
      throw unread(repository, image, `answered ${refusal(answer)}`, wayOut);
    }
    const page = tagPage.parse(answer.body);
    for (const { name, version } of page.tags) tags.set(lastPart(name), lastPart(version));
    token = page.nextPageToken;
  } while (token !== "");
  return tags;
}

/** @param failure the error for a server that does not answer. */
async function ask(path: string, call: GoogleCall, failure: (found: string) => Error): Promise<GoogleAnswer> {
  try {
    return await callGoogle(artifactRegistry, path, call);
  } catch (error) {
    // What is wrong with the login is said already.
    if (error instanceof RunError) throw error;
    throw failure(`did not answer (${messageOf(error)})`);
  }
}

/** Full name of an image, as the API has it. */
function packageName({ project, location, repositoryId }: Repository, image: string): string {
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

function unread({ repositoryId }: Repository, image: string, found: string, wayOut: typeof NO_ANSWER): Error {
  const question = `Artifact Registry ${found} to the question which tags it has`;
  return problemsError([{ where: `${repositoryId}/${image}`, found: question, ...wayOut }]);
}

function unset({ image, tag, digest }: TagTarget, found: string): Error {
  return problemsError(
    [
      {
        where: `${image}:${tag}`,
        found: `Artifact Registry ${found} to the request to put it on ${digest}`,
        allowed: "an account that may set the repository's tags (roles/artifactregistry.writer)",
        fix: "gcloud auth application-default login   # then the same command again: it continues where it stopped",
      },
    ],
    "what was set stays",
  );
}

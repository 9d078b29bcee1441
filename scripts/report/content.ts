import { z } from "zod";
import { type PublicGrant, publicGrants } from "../../components/access/public-grants.ts";
import {
  cleanupPolicy,
  type CleanupPolicy,
  type StoredVersion,
} from "../../components/repository/cleanup-rules.ts";
import { artifactRegistry } from "../../google/apis.ts";
import { callGoogle, type GoogleAnswer } from "../../google/client.ts";
import { repositoryName, type RepositoryPlace } from "../../google/full-names.ts";
import { noAnswerText, refusalText } from "./error-text.ts";

/** A version of an image: a manifest in the repository, tagged or not. */
export interface ImageVersion extends StoredVersion {
  /** All layers, including those that other versions share. */
  sizeBytes: number;
  /** The platforms of an index, or of an image that an index names. */
  platforms: string[];
}

/** The content of a repository. */
export interface Content {
  /** The registry URL, without a scheme. */
  url: string;
  /** As billed: a layer that several versions share counts once. */
  storedBytes: number;
  /** By id. */
  policies: Record<string, CleanupPolicy>;
  /** Whether cleanup only logs what it would delete. */
  dryRun: boolean;
  /** The public bindings of the repository; undefined without permission to read its policy. */
  publicGrants: PublicGrant[] | undefined;
  /** Sorted by image, the latest upload first. */
  versions: ImageVersion[];
}

const repositoryAnswer = z.object({
  registryUri: z.string(),
  // "used to calculate storage costs" (Artifact Registry v1, Repository); absent while nothing is stored.
  sizeBytes: z.coerce.number().default(0),
  cleanupPolicies: z.record(z.string(), cleanupPolicy).default({}),
  cleanupPolicyDryRun: z.boolean().default(false),
});

const page = z.object({
  dockerImages: z
    .array(
      z.object({
        uri: z.string(),
        tags: z.array(z.string()).default([]),
        imageSizeBytes: z.coerce.number().default(0),
        uploadTime: z.coerce.date(),
        // Only for an index.
        imageManifests: z
          .array(
            z.object({
              digest: z.string(),
              os: z.string().default(""),
              architecture: z.string().default(""),
              variant: z.string().default(""),
            }),
          )
          .optional(),
      }),
    )
    .default([]),
  nextPageToken: z.string().optional(),
});

const PAGE_SIZE = 1000;

/**
 * Reads the repository of a stack and all of its versions with the caller's login.
 *
 * @throws one error with the reason and the command that fixes it.
 */
export async function readContent(place: RepositoryPlace, stack: string): Promise<Content> {
  const name = repositoryName(place);
  const ask = (path: string): Promise<GoogleAnswer> =>
    callGoogle(artifactRegistry, path, { timeoutMs: 30_000 }).catch((error: unknown) => {
      throw new Error(noAnswerText(error, place), { cause: error });
    });
  const get = async (path: string): Promise<unknown> => {
    const answer = await ask(path);
    if (answer.status === 200) return answer.body;
    throw new Error(refusalText(answer, place, stack));
  };
  const repository = repositoryAnswer.parse(await get(name));
  const url = repository.registryUri;
  // A reader of images often has no permission to read the policy.
  const policy = await ask(`${name}:getIamPolicy`);
  if (![200, 403].includes(policy.status)) throw new Error(refusalText(policy, place, stack));
  const versions: ImageVersion[] = [];
  const platformOf = new Map<string, string>();
  let token: string | undefined = "";
  while (token !== undefined) {
    const query: string = new URLSearchParams({ pageSize: String(PAGE_SIZE), pageToken: token }).toString();
    const { dockerImages, nextPageToken } = page.parse(await get(`${name}/dockerImages?${query}`));
    for (const { uri, tags, imageSizeBytes, uploadTime, imageManifests } of dockerImages) {
      const [image = "", digest = ""] = uri.slice(url.length + 1).split("@");
      const children = imageManifests?.map((child) => child.digest);
      for (const { digest: child, os, architecture, variant } of imageManifests ?? [])
        platformOf.set(child, [os, architecture, variant].filter(Boolean).join("/"));
      const version = { image, digest, tags, sizeBytes: imageSizeBytes, uploaded: uploadTime, platforms: [] };
      versions.push({ ...version, ...(children && { children }) });
    }
    token = nextPageToken === "" ? undefined : nextPageToken;
  }
  for (const version of versions)
    version.platforms = (version.children ?? [version.digest])
      .map((digest) => platformOf.get(digest) ?? "")
      .filter(Boolean);
  versions.sort((a, b) => a.image.localeCompare(b.image) || b.uploaded.getTime() - a.uploaded.getTime());
  return {
    url,
    storedBytes: repository.sizeBytes,
    policies: repository.cleanupPolicies,
    dryRun: repository.cleanupPolicyDryRun,
    publicGrants: policy.status === 200 ? publicGrants(policy.body) : undefined,
    versions,
  };
}

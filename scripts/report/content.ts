import type { AuthClient } from "google-auth-library";
import { z } from "zod";
import { type PublicGrant, publicGrants } from "../../components/access/public-grants.ts";
import {
  cleanupPolicy,
  type CleanupPolicy,
  type StoredVersion,
} from "../../components/repository/cleanup-rules.ts";

/** Longest wait for an answer. */
const TIMEOUT_MS = 30_000;

/** A version of an image: a manifest in the repository, tagged or not. */
export interface ImageVersion extends StoredVersion {
  /** With all of its layers, those it shares with others too. */
  sizeBytes: number;
  /** Of an index those of its images; of an image its own, where an index says it. */
  platforms: string[];
}

/** What a repository holds. */
export interface Content {
  /** Where images are pulled from, without a scheme. */
  url: string;
  /** As it is billed: a layer that versions share counts once. */
  storedBytes: number;
  /** By their ids. */
  policies: Record<string, CleanupPolicy>;
  /** Whether cleanup only logs what it would delete. */
  dryRun: boolean;
  /** What everybody may do, as the repository's policy says; undefined where that may not be read. */
  publicGrants: PublicGrant[] | undefined;
  /** By image, the latest upload first. */
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
        // Of an index alone.
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
 * Reads a repository and all of its versions from the Artifact Registry API.
 *
 * @param endpoint of the API, with its version.
 * @param name of the repository, `projects/P/locations/L/repositories/R`.
 * @throws what the client throws: a GaxiosError where Google refuses.
 */
export async function readContent(client: AuthClient, endpoint: string, name: string): Promise<Content> {
  const request = (path: string, validateStatus?: (status: number) => boolean) =>
    client.request({
      url: `${endpoint}${path}`,
      timeout: TIMEOUT_MS,
      retry: true,
      ...(validateStatus && { validateStatus }),
    });
  const get = async (path: string): Promise<unknown> => (await request(path)).data;
  const repository = repositoryAnswer.parse(await get(name));
  const url = repository.registryUri;
  // Whoever may read images may not read the policy.
  const policy = await request(`${name}:getIamPolicy`, (status) => status === 200 || status === 403);
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
    publicGrants: policy.status === 200 ? publicGrants(policy.data) : undefined,
    versions,
  };
}

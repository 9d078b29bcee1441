import { dockerLogin } from "../../components/images/docker/login.ts";
import { type Credentials, ImageRegistry } from "../../components/images/registry/image-registry.ts";
import { makeIndex, putIndex } from "../../components/images/registry/manifests.ts";
import { describeChanges, nextVersion } from "../../components/images/tags/messages.ts";
import { type Build, setTags } from "../../components/images/tags/set-tags.ts";
import { isStarted, versionDigests } from "../../components/images/tags/versions.ts";
import { ownAccessToken } from "../../google/own-login.ts";
import { problemsError } from "../../problems/problem.ts";
import { isRegistryOf, ownTagStore } from "../lib/own-registry.ts";
import type { Publication } from "./publication.ts";
import type { PushResult } from "./push-image.ts";
import { DistributionTags } from "./registry-tags.ts";

/**
 * Puts the index of each image and sets the tags, as `pulumi up` does.
 *
 * @returns the changed tags of each image, notes and warnings.
 * @throws one error if the version is already published with another build.
 */
export async function tagImages(publication: Publication, results: readonly PushResult[]): Promise<string[]> {
  const { registry: url, repository, isNamed, release, overwrite } = publication;
  const registry = new ImageRegistry(url, () => dockerCredentials(publication.host));
  const names = results.map(({ name }) => name);
  const isGoogle = (await hasGoogleLogin()) && (!isNamed || (await isRegistryOf(repository, url)));
  const store = isGoogle ? ownTagStore(repository, names) : new DistributionTags(registry, names);
  const warnings = isGoogle
    ? []
    : [
        "The tags were set without a Google login. This is only safe if no other run published at the same time.",
      ];
  const builds = new Map<string, Build>();
  for (const { name, digests } of results) {
    const { build, manifest } = await makeIndex(registry, name, digests);
    if (manifest !== undefined) await putIndex(registry, name, manifest);
    builds.set(name, build);
  }
  const tags = await store.read();
  const { version } = release;
  if (version !== undefined && !overwrite && isStarted(tags, version)) {
    const other = [...versionDigests(tags, version)].filter(
      ([image, digest]) => builds.get(image)?.digest !== digest,
    );
    if (other.length > 0)
      throw problemsError(
        other.map(([image, digest]) => ({
          where: `${image}:${version}`,
          found: `already published as ${digest}; this build is ${builds.get(image)?.digest ?? "none"}`,
          allowed: "a new version: a published one never moves",
          fix: `scripts/build-and-push-images.sh --version ${nextVersion(version, tags)}   # or --overwrite, which changes it for everyone who pinned it`,
        })),
        "no tag was set",
      );
  }
  const result = await setTags(store, { registry: tags, release, builds, overwrite });
  return [...describeChanges(result), ...result.notes, ...warnings];
}

async function hasGoogleLogin(): Promise<boolean> {
  try {
    return (await ownAccessToken()) !== "";
  } catch {
    return false;
  }
}

async function dockerCredentials(host: string): Promise<Credentials | undefined> {
  const login = dockerLogin(host, process.env);
  if (login.kind === "stored") return login.credentials;
  if (login.kind !== "helper") return undefined;
  const answer = await login.ask();
  return answer.kind === "login" ? answer.credentials : undefined;
}

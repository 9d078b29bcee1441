import { execa } from "execa";
import { platformImages } from "../../components/images/registry/manifests.ts";
import { versionDigests } from "../../components/images/tags/versions.ts";
import type { StackSettings } from "../../settings/stack-settings.ts";
import { ownTagStore, repositoryRegistry, stackRepository } from "../lib/own-registry.ts";
import { type VersionFacts, verifyCommand } from "./github-release.ts";

/**
 * Reads the images of a version from the registry.
 *
 * @param repository the address of the repository at GitHub.
 * @param built the digests that this run built and attests.
 */
export async function versionFacts(
  settings: StackSettings,
  version: string,
  repository: string,
  built = "",
): Promise<VersionFacts> {
  const place = stackRepository(settings);
  const registry = await ownTagStore(place).read();
  const client = await repositoryRegistry(place);
  const images = await Promise.all(
    [...versionDigests(registry, version)].map(async ([name, digest]) => ({
      name,
      digest,
      platforms: await platformImages(client, name, digest),
      attested:
        built.includes(digest.replace("sha256:", "")) ||
        (await isAttested(repository, `${client.url}/${name}@${digest}`)),
    })),
  );
  if (images.length === 0) throw new Error(`${version} is not published at ${client.url}`);
  return { version, registryUrl: client.url, repository, images, registry };
}

/** Whether GitHub has an attestation of an image; undefined if `gh` is not installed. */
async function isAttested(repository: string, image: string): Promise<boolean | undefined> {
  const [gh = "", ...args] = verifyCommand(repository, image);
  const { failed, code } = await execa(gh, args, { reject: false });
  return code === "ENOENT" ? undefined : !failed;
}

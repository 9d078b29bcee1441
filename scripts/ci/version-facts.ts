import { execa } from "execa";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { platformImages } from "../../components/images/registry/manifests.ts";
import { versionDigests } from "../../components/images/tags/versions.ts";
import type { StackSettings } from "../../settings/stack-settings.ts";
import { ownTagStore, repositoryRegistry, stackRepository } from "../lib/own-registry.ts";
import { type Provenance, type VersionFacts, verifyCommand } from "./github-release.ts";

/**
 * Reads the images of a version from the registry.
 *
 * @param repository the address of the repository at GitHub.
 * @param built the digests that this run built and attests.
 * @param patience how many seconds to wait for an attestation of the others.
 */
export async function versionFacts(
  settings: StackSettings,
  version: string,
  repository: string,
  built = "",
  patience = 0,
): Promise<VersionFacts> {
  const place = stackRepository(settings);
  const registry = await ownTagStore(place).read();
  const client = await repositoryRegistry(place);
  const images = await Promise.all(
    [...versionDigests(registry, version)].map(async ([name, digest]) => ({
      name,
      digest,
      platforms: await platformImages(client, name, digest),
      provenance: built.includes(digest.replace("sha256:", ""))
        ? ("built" as const)
        : await findProvenance(repository, `${client.url}/${name}@${digest}`, patience),
    })),
  );
  if (images.length === 0) throw new Error(`${version} is not published at ${client.url}`);
  const compose = readFileSync(new URL("../../docker-compose.yml", import.meta.url), "utf8");
  const composeRegistryUrl = /\$\{HYPERION_REGISTRY:-([^}]*)\}/.exec(compose)?.[1] ?? "";
  return { version, registryUrl: client.url, composeRegistryUrl, repository, images, registry };
}

/** The error of `gh attestation verify` if GitHub has no attestation; which one depends on GitHub's answer. */
const NO_ATTESTATION = /HTTP 404\b.*\/attestations\/|no attestations found/i;

const PAUSE_SECONDS = 20;

/**
 * Asks GitHub for an attestation of an image. Repeats this while there is none, because the run that built the image attests it
 * some minutes later.
 *
 * @param patience how many seconds to wait.
 * @returns undefined if `gh` is not installed, or fails for another reason than a missing attestation.
 */
export async function findProvenance(
  repository: string,
  image: string,
  patience: number,
  wait: (milliseconds: number) => Promise<unknown> = sleep,
): Promise<Provenance | undefined> {
  const [gh = "", ...args] = verifyCommand(repository, image);
  for (let left = patience; ; left -= PAUSE_SECONDS) {
    const { failed, code, stderr } = await execa(gh, args, { reject: false });
    if (!failed) return "attested";
    if (!NO_ATTESTATION.test(stderr)) {
      if (code !== "ENOENT") console.error(`gh could not verify ${image}: ${stderr.trim()}`);
      return undefined;
    }
    if (!(left > 0)) return "none";
    console.error(`${image} has no attestation yet; trying again in ${PAUSE_SECONDS} s`);
    await wait(PAUSE_SECONDS * 1000);
  }
}

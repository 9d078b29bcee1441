import compare from "semver/functions/compare.js";
import prettyBytes from "pretty-bytes";
import { LATEST, lines, prefixedTag } from "../../components/images/tags/names.ts";
import {
  floatingVersion,
  type RegistryTags,
  startedVersions,
} from "../../components/images/tags/versions.ts";
import { shellWord } from "../../problems/wording.ts";
import { codeSpan } from "./markdown.ts";

export interface VersionImage {
  name: string;
  /** The digest of the index, or of the image of the only platform. */
  digest: string;
  /** `bytes` is the compressed size. */
  platforms: readonly { platform: string; bytes: number }[];
  /** Undefined if it is not known. */
  provenance?: Provenance | undefined;
}

/** Whether GitHub has a verified attestation of a build. `built`: by this run, which attests it later. */
export type Provenance = "attested" | "built" | "none";

const PROVENANCE = { attested: "attested", built: "built for this release", none: "**none**" };

export interface VersionFacts {
  version: string;
  /** The registry URL, without a scheme. */
  registryUrl: string;
  /** The registry URL of docker-compose.yml. */
  composeRegistryUrl: string;
  /** The repository at GitHub: `https://github.com/OWNER/NAME`. */
  repository: string;
  images: readonly VersionImage[];
  registry: RegistryTags;
}

/** A release at GitHub, without its tag and without GitHub's generated notes. */
export interface GithubRelease {
  body: string;
  prerelease: boolean;
  /** Whether the version is the latest. */
  latest: boolean;
  /** The tag that GitHub's generated notes start from; empty if there is none. */
  previous: string;
}

/** The first line of the notice of a withdrawn version, which identifies it. */
export const WITHDRAWN_MARKER = "<!-- hyperion: withdrawn -->";

/** The release of a published version. The text depends only on the registry, so that a second run gives the same text. */
export function githubRelease(facts: VersionFacts): GithubRelease {
  const { version, registry } = facts;
  const notice = withdrawnNotice(registry, version);
  return {
    body: [...(notice === undefined ? [] : [notice]), table(facts), commands(facts)].join("\n\n"),
    prerelease: lines(version).length === 0,
    latest: floatingVersion(LATEST, startedVersions(registry))?.version === version,
    previous: previousTag(registry, version),
  };
}

/** The notice at the top of a withdrawn version's release; undefined for other versions. */
export function withdrawnNotice(registry: RegistryTags, version: string): string | undefined {
  const versions = startedVersions(registry);
  if (versions.find((one) => one.version === version)?.withdrawn !== true) return undefined;
  const better = lines(version).map((line) => floatingVersion(line, versions)?.version);
  const instead = better.find((one) => one !== undefined);
  return `${WITHDRAWN_MARKER}\n> [!WARNING]\n> **Withdrawn**: do not use this version.${
    instead === undefined ? "" : ` Use ${codeSpan(instead)} instead.`
  }`;
}

/** The next lower version in the narrowest of the version's lines that has one; for a prerelease, in all versions. */
function previousTag(registry: RegistryTags, version: string): string {
  const below = startedVersions(registry)
    .filter((one) => !one.withdrawn && compare(one.version, version) < 0)
    .map((one) => one.version);
  const own = lines(version);
  const holds = own.length === 0 ? [() => true] : own.map((line) => line.holds);
  const previous = holds.map((of) => below.findLast(of)).find((one) => one !== undefined);
  return previous === undefined ? "" : prefixedTag(previous);
}

function table({ images }: VersionFacts): string {
  const rows = images.map(({ name, digest, platforms, provenance }) => {
    const list = platforms.map(({ platform }) => codeSpan(platform)).join(", ");
    const sizes = platforms.map(({ bytes }) => prettyBytes(bytes, { binary: true })).join(", ");
    const word = provenance === undefined ? "not checked" : PROVENANCE[provenance];
    return `| ${[codeSpan(name), codeSpan(digest), list, sizes, word].map(cell).join(" | ")} |`;
  });
  const head = ["image", "digest of the index", "platforms", "compressed size", "provenance"];
  return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...rows].join("\n");
}

/** In a table, `|` ends a cell, even in code. */
const cell = (text: string): string => text.replaceAll("|", "\\|");

function commands({ version, registryUrl, composeRegistryUrl, repository, images }: VersionFacts): string {
  const named = images.map(({ name, ...image }) => ({ ...image, path: `${registryUrl}/${name}` }));
  const verifiable = named.filter(({ provenance = "none" }) => provenance !== "none");
  const settings = [
    `HYPERION_TAG=${version}`,
    ...(registryUrl === composeRegistryUrl ? [] : [`HYPERION_REGISTRY=${registryUrl}`]),
  ];
  return [
    // The commands are those of docs/COMPOSE.md.
    section("Run it in a new folder", [
      `from=${shellWord(`${repository}/raw/${prefixedTag(version)}`)}`,
      'for file in docker-compose.yml scripts/check-compose.sh; do curl -fsSLO "$from/$file"; done',
      ...settings.map((setting) => `echo ${shellWord(setting)} >> .env`),
      "bash check-compose.sh --write",
      "docker compose up --detach --wait",
    ]),
    section(
      "Pull it",
      named.map(({ path }) => `docker pull ${shellWord(`${path}:${version}`)}`),
    ),
    section("Pin it by digest", [
      ...named.map(({ path, digest }) => `docker pull ${shellWord(`${path}@${digest}`)}`),
      "# All images at once, in the folder of docker-compose.yml; needs Compose 2.36.2 or later:",
      `HYPERION_TAG=${version} docker compose config --lock-image-digests > docker-compose.lock.yml`,
      "docker compose -f docker-compose.yml -f docker-compose.lock.yml up --detach --wait",
    ]),
    verifiable.length === 0
      ? "None of these images is known to have an attestation that verifies where it was built."
      : section(
          "Verify where it was built",
          verifiable.map(({ path, digest }) =>
            verifyCommand(repository, `${path}@${digest}`).map(shellWord).join(" "),
          ),
        ),
  ].join("\n\n");
}

/** The command that verifies that publish.yml of the repository built an image. */
export function verifyCommand(repository: string, image: string): string[] {
  const { host, pathname } = new URL(repository);
  const name = pathname.split("/").slice(-2).join("/");
  const workflow = `${host === "github.com" ? "" : `${host}/`}${name}/.github/workflows/publish.yml`;
  return ["gh", "attestation", "verify", `oci://${image}`, "--repo", name, "--signer-workflow", workflow];
}

function section(title: string, lines: readonly string[]): string {
  return `**${title}**\n\n\`\`\`sh\n${lines.join("\n")}\n\`\`\``;
}

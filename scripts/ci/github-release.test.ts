import { describe, expect, it, test } from "vitest";
import type { RegistryTags } from "../../components/images/tags/versions.ts";
import { githubRelease, type VersionFacts, type VersionImage, withdrawnNotice } from "./github-release.ts";

const URL = "us-central1-docker.pkg.dev/p/r";
const MIB = 2 ** 20;

/** The tags of a registry of one image, whose versions are complete. */
function published(versions: readonly string[], withdrawn: readonly string[] = []): RegistryTags {
  const tags = versions.flatMap((version) =>
    [version, `v${version}`, `build-${version}`].map((tag) => [tag, `sha256:${version}`] as const),
  );
  return new Map([
    ["ui", new Map([...tags, ...withdrawn.map((one) => [`withdrawn-${one}`, "sha256:w"] as const)])],
  ]);
}

const facts = (
  version: string,
  registry = published([version]),
  more: Partial<VersionFacts> = {},
): VersionFacts => ({
  version,
  registryUrl: URL,
  composeRegistryUrl: URL,
  repository: "https://github.com/o/n",
  images: [
    {
      name: "ui",
      digest: "sha256:a",
      platforms: [
        { platform: "linux/amd64", bytes: 23 * MIB },
        { platform: "linux/arm64", bytes: 22 * MIB },
      ],
      provenance: "attested",
    },
  ],
  registry,
  ...more,
});

it("names every image by digest, with platforms, sizes and provenance, and the commands to run, pull, pin and verify it", () => {
  expect(githubRelease(facts("1.4.2")).body)
    .toBe(`| image | digest of the index | platforms | compressed size | provenance |
| --- | --- | --- | --- | --- |
| \`ui\` | \`sha256:a\` | \`linux/amd64\`, \`linux/arm64\` | 23 MiB, 22 MiB | attested |

**Run it in a new folder**

\`\`\`sh
from=https://github.com/o/n/raw/v1.4.2
for file in docker-compose.yml scripts/check-compose.sh; do curl -fsSLO "$from/$file"; done
echo HYPERION_TAG=1.4.2 >> .env
bash check-compose.sh --write
docker compose up --detach --wait
\`\`\`

**Pull it**

\`\`\`sh
docker pull ${URL}/ui:1.4.2
\`\`\`

**Pin it by digest**

\`\`\`sh
docker pull ${URL}/ui@sha256:a
# All images at once, in the folder of docker-compose.yml; needs Compose 2.36.2 or later:
HYPERION_TAG=1.4.2 docker compose config --lock-image-digests > docker-compose.lock.yml
docker compose -f docker-compose.yml -f docker-compose.lock.yml up --detach --wait
\`\`\`

**Verify where it was built**

\`\`\`sh
gh attestation verify oci://${URL}/ui@sha256:a --repo o/n --signer-workflow o/n/.github/workflows/publish.yml
\`\`\``);
});

test.each([
  ["the first version of all", "1.0.0", [], "", true],
  ["a fix", "1.4.2", ["1.3.9", "1.4.0", "1.4.1"], "v1.4.1", true],
  ["a fix of an old line", "1.4.2", ["1.4.1", "1.5.0", "2.0.0"], "v1.4.1", false],
  ["the first version of a minor line", "1.5.0", ["1.3.0", "1.4.9"], "v1.4.9", true],
  ["the first version of a major line", "2.0.0", ["0.9.0", "1.4.9", "2.0.0-rc.1"], "v1.4.9", true],
  ["a minor release of 0.x", "0.4.0", ["0.3.1"], "v0.3.1", true],
] as const)(
  "%s: its previous version, and whether it is the latest",
  (_, version, others, previous, latest) => {
    expect(githubRelease(facts(version, published([...others, version])))).toMatchObject({
      previous,
      latest,
      prerelease: false,
    });
  },
);

test.each([
  [["1.9.0", "2.0.0-rc.1"], "v2.0.0-rc.1"],
  [["1.9.0"], "v1.9.0"],
] as const)("a prerelease after %s is never the latest", (others, previous) => {
  const release = githubRelease(facts("2.0.0-rc.2", published([...others, "2.0.0-rc.2"])));
  expect(release).toMatchObject({ previous, latest: false, prerelease: true });
});

describe("a withdrawn version", () => {
  const registry = published(["1.3.0", "1.4.1", "1.4.2", "1.4.3"], ["1.4.3", "1.4.2"]);

  it("starts with a notice that names the version to use instead", () => {
    const { body, latest } = githubRelease(facts("1.4.3", registry));
    expect(body).toMatch(
      /^<!-- hyperion: withdrawn -->\n> \[!WARNING\]\n> .*Use `1\.4\.1` instead\.\n\n\| image/,
    );
    expect(latest).toBe(false);
  });

  it("is not the previous version of a later one", () => {
    const { previous, latest } = githubRelease(
      facts("1.4.4", published(["1.4.1", "1.4.3", "1.4.4"], ["1.4.3"])),
    );
    expect([previous, latest]).toEqual(["v1.4.1", true]);
  });

  it("names no other version if its lines have none", () => {
    expect(withdrawnNotice(published(["1.0.0"], ["1.0.0"]), "1.0.0")).toMatch(/do not use this version\.$/);
    expect(withdrawnNotice(registry, "1.4.1")).toBeUndefined();
  });
});

/** The body of a release with an image of each provenance, `i0`, `i1`, ... */
function bodyWith(...all: VersionImage["provenance"][]): string {
  const images = all.map((provenance, at) => ({
    name: `i${at}`,
    digest: "sha256:a",
    platforms: [],
    provenance,
  }));
  return githubRelease(facts("1.0.0", undefined, { images })).body;
}

it("shows the provenance of each image, and verifies those that are or will be attested", () => {
  const body = bodyWith("none", undefined, "built", "attested");
  expect(body).toContain("| `i0` | `sha256:a` |  |  | **none** |");
  expect(body).toContain("| `i1` | `sha256:a` |  |  | not checked |");
  expect(body).toContain("| `i2` | `sha256:a` |  |  | built for this release |");
  expect([...body.matchAll(/gh attestation verify \S+\/(i\d)@/g)].map(([, name]) => name)).toEqual([
    "i2",
    "i3",
  ]);
});

it("shows no command that verifies if there is no attestation", () => {
  const body = bodyWith("none", undefined);
  expect(body).not.toContain("gh attestation");
  expect(body).toMatch(/\n\nNone of these images is known to have an attestation/);
});

it("runs the images of another registry than that of docker-compose.yml", () => {
  const { body } = githubRelease(facts("1.0.0", undefined, { composeRegistryUrl: "host/other/r" }));
  expect(body).toContain(
    `echo HYPERION_TAG=1.0.0 >> .env\necho HYPERION_REGISTRY=${URL} >> .env\nbash check-compose.sh`,
  );
});

it("escapes names for Markdown and for a shell", () => {
  const images = [
    { name: "a`b|c_d_$(id)", digest: "sha256:a", platforms: [], provenance: "attested" as const },
  ];
  const { body } = githubRelease(facts("1.0.0", undefined, { images }));
  expect(body).toContain("| `` a`b\\|c_d_$(id) `` |");
  expect(body).toContain(`docker pull '${URL}/a\`b|c_d_$(id):1.0.0'`);
});

it("names the workflow at another GitHub than github.com", () => {
  const { body } = githubRelease(facts("1.0.0", undefined, { repository: "https://github.example/o/n" }));
  expect(body).toContain("--repo o/n --signer-workflow github.example/o/n/.github/workflows/publish.yml");
});

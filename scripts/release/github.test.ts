import { getOctokit } from "@actions/github";
import { beforeEach, describe, expect, it, test } from "vitest";
import type { RegistryTags } from "../../components/images/tags/versions.ts";
import { mintGithubApiToken } from "../../sandbox/emulator/support/github/tokens.ts";
import { type TestEmulator, testEmulator } from "../../sandbox/emulator/testing/emulator.ts";
import { type Action, githubRepository, syncReleases } from "./github.ts";

const REPOSITORY = "https://github.com/HyperionWave-AI/dev-squad";

let emulator: TestEmulator;
let api: Parameters<typeof syncReleases>[0];

beforeEach(async () => {
  emulator = await testEmulator();
  await logIn({ login: "maintainer" });
});

async function logIn(who: Parameters<typeof mintGithubApiToken>[1]): Promise<void> {
  api = getOctokit(await mintGithubApiToken(emulator.dir, who), {
    baseUrl: "https://github.example/api/v3",
    request: {
      fetch: (url: string, init: RequestInit) =>
        emulator.send(url.replace("https://github.example/", ""), init),
    },
  }).rest;
}

const place = { owner: "HyperionWave-AI", repo: "dev-squad" };
const tag = (name: string): Promise<unknown> =>
  api.git.createRef({ ...place, ref: `refs/tags/${name}`, sha: "a".repeat(40) });
const texts = async (): Promise<Record<string, string>> =>
  Object.fromEntries((await api.repos.listReleases(place)).data.map((one) => [one.tag_name, one.body ?? ""]));
const latest = async (): Promise<string> => (await api.repos.getLatestRelease(place)).data.tag_name;

function sync(
  version: string,
  versions: readonly string[],
  withdrawn: readonly string[] = [],
  action: Action = withdrawn.length === 0 ? "publish" : "rollback",
): Promise<string> {
  const names = [...versions, ...withdrawn.map((one) => `withdrawn-${one}`)];
  const registry: RegistryTags = new Map([["ui", new Map(names.map((name) => [name, `sha256:${name}`]))]]);
  const images = [{ name: "ui", digest: `sha256:${version}`, platforms: [] }];
  const urls = { registryUrl: "host/p/r", composeRegistryUrl: "host/p/r", repository: REPOSITORY };
  return syncReleases(api, { version, ...urls, images, registry }, action);
}

it("makes one release for a version, with the notes since the version before", async () => {
  for (const name of ["v1.4.1", "v1.4.2"]) await tag(name);
  await sync("1.4.1", ["1.4.1"]);
  await sync("1.4.2", ["1.4.1", "1.4.2"]);
  await sync("1.4.2", ["1.4.1", "1.4.2"]);
  const { "v1.4.2": body = "", ...others } = await texts();
  expect(Object.keys(others)).toEqual(["v1.4.1"]);
  expect(body).toMatch(/^\| image [^]*`sha256:1\.4\.2`[^]*compare\/v1\.4\.1\.\.\.v1\.4\.2$/);
  expect(await latest()).toBe("v1.4.2");
});

it("leaves the latest release alone for a fix of an old line", async () => {
  for (const name of ["v1.4.2", "v2.0.0"]) await tag(name);
  await sync("2.0.0", ["2.0.0"]);
  await sync("1.4.2", ["1.4.2", "2.0.0"]);
  expect(await latest()).toBe("v2.0.0");
});

it("makes no tag, and names the command that does, with a commit if the version is not the last one published", async () => {
  expect(await sync("1.4.2", ["1.4.2"])).toMatch(/git tag v1\.4\.2 && git push origin v1\.4\.2$/);
  for (const action of ["rollback", "none"] as const)
    expect(await sync("1.4.2", ["1.4.2"], [], action)).toMatch(
      /git tag v1\.4\.2 COMMIT && git push origin v1\.4\.2 {3}# COMMIT: the commit that was released$/,
    );
  expect(await texts()).toEqual({});
  await expect(tag("v1.4.2")).resolves.toBeDefined();
});

it("ignores an earlier version that has no tag at GitHub", async () => {
  await tag("v1.4.2");
  await sync("1.4.2", ["1.4.1", "1.4.2"]);
  expect((await texts())["v1.4.2"]).toContain("/commits/v1.4.2");
});

describe("a rollback", () => {
  const versions = ["1.4.1", "1.4.2", "1.4.3"];

  beforeEach(async () => {
    for (const [at, version] of versions.entries()) {
      await tag(`v${version}`);
      await sync(version, versions.slice(0, at + 1));
    }
  });

  it("marks the releases of withdrawn versions once, at the top, and moves the latest release", async () => {
    const { data } = await api.repos.getReleaseByTag({ ...place, tag: "v1.4.1" });
    await api.repos.updateRelease({ ...place, release_id: data.id, body: "the earlier text" });
    const before = await texts();
    await sync("1.4.1", versions, ["1.4.2", "1.4.3"]);
    await sync("1.4.1", versions, ["1.4.2", "1.4.3"]);
    const after = await texts();
    for (const name of ["v1.4.2", "v1.4.3"]) {
      const [marker, , line, ...rest] = (after[name] ?? "").split("\n");
      expect([marker, line]).toEqual([
        "<!-- hyperion: withdrawn -->",
        expect.stringContaining("Use `1.4.1` instead."),
      ]);
      expect(rest.join("\n").trim()).toBe(before[name]);
    }
    expect(after["v1.4.1"]).toBe(before["v1.4.1"]);
    expect(await latest()).toBe("v1.4.1");
  });

  it("marks them if the version that it goes back to has no tag at GitHub", async () => {
    await sync("1.4.0", ["1.4.0", ...versions], versions);
    expect((await texts())["v1.4.3"]).toContain("Use `1.4.0` instead.");
  });
});

it("fails if GitHub refuses", async () => {
  await tag("v1.0.0");
  await logIn({ login: "github-actions[bot]", permissions: { contents: "read" } });
  await expect(sync("1.0.0", ["1.0.0"])).rejects.toThrow("Resource not accessible by integration");
});

test.each([
  ["https://github.com/o/n.git", "https://github.com/o/n"],
  ["https://user@github.com/o/n", "https://github.com/o/n"],
  ["git@github.com:o/n.git", "https://github.com/o/n"],
  ["ssh://git@github.example:22/o/n.git/", "https://github.example/o/n"],
  ["https://gitlab.com/o/n.git", undefined],
  ["/srv/git/n.git", undefined],
  ["", undefined],
])("the repository at GitHub of the remote %s: %s", (url, repository) => {
  expect(githubRepository(url)).toBe(repository);
});

import { describe, expect, test } from "vitest";
import { REGISTRY_DEFAULTS } from "./contradictions.ts";
import { githubTrust, parseSettings } from "./parse.ts";
import { GCP_SETTINGS } from "./schema.ts";
import { declaredSettings, stackConfig } from "../test/support/default-settings.ts";

describe("settings that contradict each other", () => {
  const github = { githubRepository: "HyperionWave-AI/dev-squad" };
  const longRefs = Array.from({ length: 20 }, (_, i) => `refs/heads/${"b".repeat(90)}${i}`);
  const DATE = "a date together with the revision of main's tip, without a version";
  const OTHER_ID = "nothing, while the other id is set";

  test.each<[changes: Record<string, unknown>, key: string, found: string, allowed: string, fix: string]>([
    [
      { overrideDomainRestrictedSharing: true },
      "overrideDomainRestrictedSharing",
      "true, while publicAccess is false",
      "true only together with publicAccess",
      "rm KEY",
    ],
    [{ releaseDate: "2025-01-10" }, "releaseDate", '"2025-01-10", without a revision', DATE, "rm KEY"],
    [
      { releaseDate: "2025-01-10", revision: "abc123f0".repeat(5), version: "1.4.2" },
      "releaseDate",
      '"2025-01-10", together with the version 1.4.2',
      DATE,
      "rm KEY",
    ],
    [
      { githubRepositoryId: "1", githubOwnerId: "2" },
      "githubRepository",
      "nothing, while githubRepositoryId or githubOwnerId is set",
      "owner/name",
      "set KEY OWNER/NAME",
    ],
    [
      { ...github, githubRepositoryId: "1" },
      "githubOwnerId",
      OTHER_ID,
      "both ids or none",
      'set KEY "$(gh api users/OWNER --jq .id)"',
    ],
    [
      { ...github, githubOwnerId: "1" },
      "githubRepositoryId",
      OTHER_ID,
      "both ids or none",
      'set KEY "$(gh api repos/OWNER/NAME --jq .id)"',
    ],
    [
      { ...github, githubRefs: longRefs },
      "githubRefs",
      "refs that make an attribute mapping of 2920 characters",
      "at most 2048 characters, which is Google's limit; use fewer refs, or a star for several",
      "rm --path 'KEY[19]'",
    ],
    [
      { ...github, githubRefs: [] },
      "githubRefs",
      "an empty list, while githubRepository is set",
      "at least one git ref",
      "set --path 'KEY[0]' refs/heads/main",
    ],
    [
      { ...github, ciServiceAccountId: "a23456789012345678901234" },
      "ciServiceAccountId",
      '"a23456789012345678901234", while githubRepository is set',
      "at most 22 characters, since the preview account adds -preview and an id has 30",
      "set KEY hyperion-ci",
    ],
  ])("%j", (changes, key, found, allowed, fix) => {
    const where = `hyperion-registry:${key}`;
    expect(parseSettings(stackConfig(changes), []).problems).toEqual([
      { where, found, allowed, fix: `npm run pulumi -- config ${fix.replace("KEY", where)}` },
    ]);
  });
});

describe("a stack without a registry", () => {
  const problemsOf = (changes: Record<string, unknown>) =>
    parseSettings(stackConfig({ manageRegistry: false, ...changes }), []).problems;

  test("accepts settings of images", () => {
    const images = { version: "1.4.2", buildCache: "registry", platforms: ["linux/arm64"], sourceDir: "x" };
    expect(problemsOf({ ...images, repositoryId: "other" })).toEqual([]);
  });

  test("must publish images", () => {
    expect(problemsOf({ publishImages: false })).toEqual([
      {
        where: "hyperion-registry:publishImages",
        found: "false, while manageRegistry is false",
        allowed: "true for one of them; otherwise the stack is empty",
        fix: "npm run pulumi -- config rm hyperion-registry:publishImages",
      },
    ]);
  });

  test.each(Object.keys(REGISTRY_DEFAULTS))("refuses %s", (name) => {
    const others: Record<string, unknown> = {
      labels: { app: "x" },
      vulnerabilityScanning: "disabled",
      protect: false,
      readers: ["user:dana@example.com"],
      writers: ["user:dana@example.com"],
      ciServiceAccountId: "other-ci",
      githubRepository: "owner/name",
      githubRefs: ["refs/heads/x"],
      githubEnvironment: "staging",
      ...(name.startsWith("cleanup") && { [name]: name === "cleanupDryRun" ? true : 3 }),
    };
    const value = others[name] ?? true;
    expect(problemsOf({ [name]: value })).toEqual([
      {
        where: `hyperion-registry:${name}`,
        found: `${JSON.stringify(value)}, while manageRegistry is false`,
        allowed: "only in the stack that manages the registry",
        fix: `npm run pulumi -- config rm hyperion-registry:${name}`,
      },
    ]);
  });

  test("has the defaults of Pulumi.yaml", () => {
    for (const [name, value] of Object.entries(REGISTRY_DEFAULTS))
      expect(declaredSettings[name]?.default, name).toEqual(value ?? "");
  });
});

test("the defaults are valid, and optional strings are undefined", () => {
  const { settings, problems } = parseSettings(stackConfig(), []);
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({
    project: "production-471918",
    repositoryId: "hyperion-public",
    cleanupBuildsAfterDays: 77,
    cleanupKeepCount: 10,
    platforms: ["linux/amd64", "linux/arm64"],
    publicAccess: false,
    readers: [],
    githubRefs: ["refs/heads/main", "refs/tags/v*"],
  });
  expect([settings.version, settings.revision, settings.githubRepository]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("every setting is declared in Pulumi.yaml", () => {
  const { settings } = parseSettings(stackConfig(), []);
  const names = Object.keys(settings).filter((name) => !(name in GCP_SETTINGS));
  expect(names.sort()).toEqual(Object.keys(declaredSettings).sort());
});

test("a missing setting is reported", () => {
  const config = stackConfig();
  delete config["gcp:project"];
  expect(parseSettings(config, []).problems).toMatchObject([{ where: "gcp:project", found: "nothing" }]);
});

test("the GitHub repository is trusted by name or by ids", () => {
  const trust = (changes: Record<string, unknown>) => {
    const { settings } = parseSettings(stackConfig(changes), []);
    return githubTrust(settings as Required<typeof settings>);
  };
  expect(trust({})).toBeUndefined();
  expect(trust({ githubRepository: "a/b" })).toEqual({
    repository: "a/b",
    refs: ["refs/heads/main", "refs/tags/v*"],
    environment: "production",
  });
  expect(trust({ githubRepository: "a/b", githubRepositoryId: "1", githubOwnerId: "2" })).toMatchObject({
    ids: { repository: "1", owner: "2" },
  });
});

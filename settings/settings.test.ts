import { describe, expect, test } from "vitest";
import { problemsError } from "../problems/problem.ts";
import { githubTrust, parseSettings } from "./parse.ts";
import { declaredSettings, stackConfig } from "../test/support/default-settings.ts";

const set = (key: string, value: string): string => `pulumi config set hyperion-registry:${key} ${value}`;
const setAt = (path: string, value: string): string =>
  `pulumi config set --path 'hyperion-registry:${path}' ${value}`;
const removeAt = (path: string): string => `pulumi config rm --path 'hyperion-registry:${path}'`;
const remove = (key: string): string => `pulumi config rm hyperion-registry:${key}`;

const REPOSITORY_ID =
  "2 to 63 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen";
const ACCOUNT_ID =
  "6 to 30 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen";
const PROJECT = "the id of a Google Cloud project: 6 to 30 lower-case letters, digits and hyphens";
const REGION = "a region of Artifact Registry, such as us-central1";
const LABELS =
  "at most 60 labels; names and values of at most 63 lower-case letters, digits, _ and -, a name beginning with a letter";
const BUILD_ARGS =
  "for each image (hyperion-coordinator-mcp, hyperion-http-bridge, hyperion-ui) a map from argument to value";
const VERSION = "a semantic version such as 1.4.2 or 2.0.0-rc.1";
const REVISION = "a full git commit, 40 lowercase hexadecimal digits, as `git rev-parse HEAD` prints";
const DATE = "a date YYYY-MM-DD such as 2025-01-10";
const PRINCIPAL =
  "a principal: user:, group:, serviceAccount:, domain:, principal://, principalSet://, allAuthenticatedUsers";
const GITHUB = "owner/name, as in the repository's address";
const ENVIRONMENT = "the name of an environment of the repository: 1 to 255 characters";
const REFS = "full git refs such as refs/heads/main, or refs/tags/v* with one star at the end";

/** One setting that is wrong: the key, the value, and the one problem that it gives. */
const INVALID: [key: string, value: unknown, where: string, found: string, allowed: string, fix: string][] = [
  [
    "gcp:project",
    "Production",
    "gcp:project",
    '"Production"',
    PROJECT,
    "pulumi config set gcp:project production-471918",
  ],
  [
    "gcp:project",
    "123456789012",
    "gcp:project",
    '"123456789012"',
    PROJECT,
    "pulumi config set gcp:project production-471918",
  ],
  ["gcp:project", "", "gcp:project", '""', PROJECT, "pulumi config set gcp:project production-471918"],
  [
    "gcp:region",
    "us-central1-a",
    "gcp:region",
    '"us-central1-a"',
    REGION,
    "pulumi config set gcp:region us-central1",
  ],
  ["gcp:region", "US", "gcp:region", '"US"', REGION, "pulumi config set gcp:region us-central1"],
  ["repositoryId", "", "repositoryId", '""', REPOSITORY_ID, set("repositoryId", "hyperion-public")],
  [
    "repositoryId",
    "Hyperion",
    "repositoryId",
    '"Hyperion"',
    REPOSITORY_ID,
    set("repositoryId", "hyperion-public"),
  ],
  ["repositoryId", "ends-", "repositoryId", '"ends-"', REPOSITORY_ID, set("repositoryId", "hyperion-public")],
  [
    "repositoryId",
    "../other",
    "repositoryId",
    '"../other"',
    REPOSITORY_ID,
    set("repositoryId", "hyperion-public"),
  ],
  [
    "repositoryId",
    "a; rm -rf /",
    "repositoryId",
    '"a; rm -rf /"',
    REPOSITORY_ID,
    set("repositoryId", "hyperion-public"),
  ],
  [
    "repositoryId",
    "a".repeat(90),
    "repositoryId",
    `"${"a".repeat(76)}...`,
    REPOSITORY_ID,
    set("repositoryId", "hyperion-public"),
  ],
  ["labels", "hyperion", "labels", '"hyperion"', LABELS, remove("labels")],
  ["labels", { App: "hyperion" }, "labels.App", 'the name "App"', LABELS, removeAt("labels.App")],
  ["labels", { app: "Hyperion" }, "labels.app", '"Hyperion"', LABELS, setAt("labels.app", "hyperion")],
  ["labels", { app: 1 }, "labels.app", "1", LABELS, setAt("labels.app", "hyperion")],
  [
    "cleanupUntaggedAfterDays",
    0,
    "cleanupUntaggedAfterDays",
    '"0"',
    "a whole number from 1 to 3650",
    set("cleanupUntaggedAfterDays", "14"),
  ],
  [
    "cleanupUntaggedAfterDays",
    1.5,
    "cleanupUntaggedAfterDays",
    '"1.5"',
    "a whole number from 1 to 3650",
    set("cleanupUntaggedAfterDays", "14"),
  ],
  [
    "cleanupUntaggedAfterDays",
    "14d",
    "cleanupUntaggedAfterDays",
    '"14d"',
    "a whole number from 1 to 3650",
    set("cleanupUntaggedAfterDays", "14"),
  ],
  [
    "cleanupKeepCount",
    -1,
    "cleanupKeepCount",
    '"-1"',
    "a whole number from 1 to 1000",
    set("cleanupKeepCount", "10"),
  ],
  [
    "cleanupKeepCount",
    1e9,
    "cleanupKeepCount",
    '"1000000000"',
    "a whole number from 1 to 1000",
    set("cleanupKeepCount", "10"),
  ],
  [
    "cleanupKeepCount",
    "",
    "cleanupKeepCount",
    '""',
    "a whole number from 1 to 1000",
    set("cleanupKeepCount", "10"),
  ],
  ["cleanupDryRun", "yes", "cleanupDryRun", '"yes"', "true or false", set("cleanupDryRun", "true")],
  [
    "vulnerabilityScanning",
    "on",
    "vulnerabilityScanning",
    '"on"',
    "inherited or disabled",
    set("vulnerabilityScanning", "inherited"),
  ],
  ["adoptExisting", "1", "adoptExisting", '"1"', "true or false", set("adoptExisting", "true")],
  ["protect", "False", "protect", '"False"', "true or false", set("protect", "true")],
  ["sourceDir", "", "sourceDir", '""', "a folder, relative to this project", set("sourceDir", ".")],
  ["sourceDir", "a\nb", "sourceDir", '"a\\nb"', "a folder, relative to this project", set("sourceDir", ".")],
  [
    "platform",
    "linux/386",
    "platform",
    '"linux/386"',
    "linux/amd64 or linux/arm64",
    set("platform", "linux/amd64"),
  ],
  ["publishImages", "maybe", "publishImages", '"maybe"', "true or false", set("publishImages", "true")],
  [
    "buildArgs",
    { "hyperion-ui": { "A B": "c" } },
    'buildArgs.hyperion-ui["A B"]',
    'the name "A B"',
    BUILD_ARGS,
    removeAt('buildArgs.hyperion-ui["A B"]'),
  ],
  [
    "buildArgs",
    { "hyperion-ui": { A: 1 } },
    "buildArgs.hyperion-ui.A",
    "1",
    BUILD_ARGS,
    setAt("buildArgs.hyperion-ui.A", "value"),
  ],
  [
    "buildArgs",
    { "hyperion-ux": {} },
    "buildArgs.hyperion-ux",
    'the name "hyperion-ux"',
    BUILD_ARGS,
    removeAt("buildArgs.hyperion-ux"),
  ],
  ["buildCache", "remote", "buildCache", '"remote"', "local or registry", set("buildCache", "local")],
  ["buildOnPreview", "on", "buildOnPreview", '"on"', "true or false", set("buildOnPreview", "true")],
  ["version", "v1.4.2", "version", '"v1.4.2"', `${VERSION}: write 1.4.2, without v`, set("version", "1.4.2")],
  ["version", "1.4", "version", '"1.4"', VERSION, set("version", "1.4.2")],
  ["version", "latest", "version", '"latest"', VERSION, set("version", "1.4.2")],
  ["version", " 1.4.2", "version", '" 1.4.2"', `${VERSION}, without whitespace`, set("version", "1.4.2")],
  [
    "version",
    "1.4.2+7",
    "version",
    '"1.4.2+7"',
    `${VERSION}, without build metadata (a tag cannot hold "+"): write 1.4.2`,
    set("version", "1.4.2"),
  ],
  ["revision", "abc123f", "revision", '"abc123f"', REVISION, set("revision", '"$(git rev-parse HEAD)"')],
  [
    "revision",
    "A".repeat(40),
    "revision",
    `"${"A".repeat(40)}"`,
    REVISION,
    set("revision", '"$(git rev-parse HEAD)"'),
  ],
  ["releaseDate", "10.01.2025", "releaseDate", '"10.01.2025"', DATE, set("releaseDate", '"$(date -u +%F)"')],
  [
    "releaseDate",
    "2025-02-30",
    "releaseDate",
    '"2025-02-30"',
    `${DATE}, and there is no such day in the calendar`,
    set("releaseDate", '"$(date -u +%F)"'),
  ],
  ["backport", "no", "backport", '"no"', "true or false", set("backport", "true")],
  ["rollback", "back", "rollback", '"back"', "true or false", set("rollback", "true")],
  [
    "allowVersionOverwrite",
    "[]",
    "allowVersionOverwrite",
    '"[]"',
    "true or false",
    set("allowVersionOverwrite", "true"),
  ],
  [
    "readers",
    "user:dana@example.com",
    "readers",
    '"user:dana@example.com"',
    "a list of principals",
    remove("readers"),
  ],
  [
    "readers",
    ["dana@example.com"],
    "readers[0]",
    '"dana@example.com"',
    PRINCIPAL,
    setAt("readers[0]", "group:devs@example.com"),
  ],
  [
    "readers",
    ["usr:dana@example.com"],
    "readers[0]",
    '"usr:dana@example.com"',
    PRINCIPAL,
    setAt("readers[0]", "user:dana@example.com"),
  ],
  [
    "readers",
    ["allUsers"],
    "readers[0]",
    '"allUsers"',
    "principals by name; everybody is the setting publicAccess",
    setAt("readers[0]", "group:devs@example.com"),
  ],
  [
    "readers",
    ["user:Dana@example.com"],
    "readers[0]",
    '"user:Dana@example.com"',
    "lower case, as Google stores it",
    setAt("readers[0]", "user:dana@example.com"),
  ],
  [
    "readers",
    ["user:a@b.c", "user:a@b.c"],
    "readers[1]",
    '"user:a@b.c"',
    "each value once",
    removeAt("readers[1]"),
  ],
  [
    "readers",
    ["deleted:user:a@b.c?uid=1"],
    "readers[0]",
    '"deleted:user:a@b.c?uid=1"',
    "principals that exist; a deleted one gets its access back only under its new identity",
    setAt("readers[0]", "group:devs@example.com"),
  ],
  [
    "readers",
    ["group:devs"],
    "readers[0]",
    '"group:devs"',
    "the form group:devs@example.com",
    setAt("readers[0]", "group:devs@example.com"),
  ],
  ["writers", [7], "writers[0]", "7", "a list of principals", setAt("writers[0]", "group:devs@example.com")],
  [
    "writers",
    ["allAuthenticatedUsers"],
    "writers[0]",
    '"allAuthenticatedUsers"',
    "principals by name; any Google account could push",
    "pulumi config rm --path 'hyperion-registry:writers[0]'",
  ],
  ["publicAccess", "public", "publicAccess", '"public"', "true or false", set("publicAccess", "true")],
  [
    "overrideDomainRestrictedSharing",
    true,
    "overrideDomainRestrictedSharing",
    "true, while publicAccess is false",
    "true only together with publicAccess: the exception serves nothing else",
    remove("overrideDomainRestrictedSharing"),
  ],
  [
    "ciServiceAccountId",
    "ci",
    "ciServiceAccountId",
    '"ci"',
    ACCOUNT_ID,
    set("ciServiceAccountId", "hyperion-ci"),
  ],
  [
    "ciServiceAccountId",
    "ci@project",
    "ciServiceAccountId",
    '"ci@project"',
    ACCOUNT_ID,
    set("ciServiceAccountId", "hyperion-ci"),
  ],
  ["ciCanPublish", "write", "ciCanPublish", '"write"', "true or false", set("ciCanPublish", "true")],
  [
    "githubRepository",
    "dev-squad",
    "githubRepository",
    '"dev-squad"',
    GITHUB,
    set("githubRepository", "HyperionWave-AI/dev-squad"),
  ],
  [
    "githubRepository",
    "https://github.com/a/b",
    "githubRepository",
    '"https://github.com/a/b"',
    GITHUB,
    set("githubRepository", "HyperionWave-AI/dev-squad"),
  ],
  [
    "githubRepository",
    "a/b' || true || '",
    "githubRepository",
    "\"a/b' || true || '\"",
    GITHUB,
    set("githubRepository", "HyperionWave-AI/dev-squad"),
  ],
  [
    "githubRepositoryId",
    "dev-squad",
    "githubRepositoryId",
    '"dev-squad"',
    "the repository's number, in quotes",
    set("githubRepositoryId", '"$(gh api repos/OWNER/NAME --jq .id)"'),
  ],
  [
    "githubOwnerId",
    "-1",
    "githubOwnerId",
    '"-1"',
    "the owner's number, in quotes",
    set("githubOwnerId", '"$(gh api users/OWNER --jq .id)"'),
  ],
  ["githubRefs", ["main"], "githubRefs[0]", '"main"', REFS, setAt("githubRefs[0]", "refs/heads/main")],
  [
    "githubRefs",
    ["refs/heads/*"],
    "githubRefs[0]",
    '"refs/heads/*"',
    REFS,
    setAt("githubRefs[0]", "refs/heads/main"),
  ],
  [
    "githubRefs",
    ["refs/heads/x') || ('"],
    "githubRefs[0]",
    `"refs/heads/x') || ('"`,
    REFS,
    setAt("githubRefs[0]", "refs/heads/main"),
  ],
  ...["feature branch", "a..b", "a.lock", "a//b", ".a", "a/", "a@{1}", "a~1", "a*b", "a."].map(
    (name): (typeof INVALID)[number] => [
      "githubRefs",
      [`refs/heads/${name}`],
      "githubRefs[0]",
      `"refs/heads/${name}"`,
      REFS,
      setAt("githubRefs[0]", "refs/heads/main"),
    ],
  ),
  ...["a/b.git", "a/b.wiki", "a/B.GIT", "a/.."].map((name): (typeof INVALID)[number] => [
    "githubRepository",
    name,
    "githubRepository",
    `"${name}"`,
    GITHUB,
    set("githubRepository", "HyperionWave-AI/dev-squad"),
  ]),
  [
    "githubEnvironment",
    "a".repeat(256),
    "githubEnvironment",
    `"${"a".repeat(76)}...`,
    ENVIRONMENT,
    set("githubEnvironment", "production"),
  ],
  [
    "publicAcess",
    true,
    "publicAcess",
    "a setting that does not exist",
    "hyperion-registry:publicAccess",
    remove("publicAcess"),
  ],
];

describe("an invalid setting", () => {
  test.each(INVALID)("%s: %j", (key, value, where, found, allowed, fix) => {
    const { problems } = parseSettings(stackConfig({ [key]: value }), []);
    const place = where.includes("gcp:") ? where : `hyperion-registry:${where}`;
    expect(problems).toEqual([{ where: place, found, allowed, fix }]);
  });

  test("is in the table for every setting there is", () => {
    const covered = new Set(INVALID.map(([key]) => key));
    expect(Object.keys(declaredSettings).filter((key) => !covered.has(key))).toEqual([]);
    expect(INVALID.length).toBeGreaterThanOrEqual(60);
  });
});

describe("settings that contradict each other", () => {
  const github = { githubRepository: "HyperionWave-AI/dev-squad" };
  test.each([
    [
      { backport: true },
      "backport",
      "true takes a version: a backport is a release of an older line, such as 1.3.9",
    ],
    [
      { backport: true, version: "2.0.0-rc.1" },
      "backport",
      "true is for stable versions: the prerelease 2.0.0-rc.1 moves no other tag anyway",
    ],
    [
      { rollback: true },
      "rollback",
      "true together with the version to go back to, and without allowVersionOverwrite",
    ],
    [
      { rollback: true, version: "1.4.1", allowVersionOverwrite: true },
      "rollback",
      "true together with the version to go back to, and without allowVersionOverwrite",
    ],
    [{ githubRepositoryId: "1", githubOwnerId: "2" }, "githubRepository", "owner/name"],
    [{ ...github, githubRepositoryId: "1" }, "githubOwnerId", "both ids or none"],
    [{ ...github, githubOwnerId: "1" }, "githubRepositoryId", "both ids or none"],
    [
      { ...github, githubRefs: Array.from({ length: 20 }, (_, i) => `refs/heads/${"b".repeat(90)}${i}`) },
      "githubRefs",
      "at most 2048 characters, as Google takes them: fewer refs, or one with a star for several",
    ],
    [{ ...github, githubRefs: [] }, "githubRefs", "at least one git ref"],
    [
      { ...github, ciServiceAccountId: "a23456789012345678901234" },
      "ciServiceAccountId",
      "at most 22 characters, since the preview account adds -preview and an id has 30",
    ],
  ])("%j", (changes, key, allowed) => {
    const { problems } = parseSettings(stackConfig(changes), []);
    expect(problems).toMatchObject([{ where: `hyperion-registry:${key}`, allowed }]);
  });
});

test("the defaults are valid, and optional strings are absent", () => {
  const { settings, problems } = parseSettings(stackConfig(), []);
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({
    project: "production-471918",
    repositoryId: "hyperion-public",
    cleanupKeepCount: 10,
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
  const names = Object.keys(settings).filter((name) => name !== "project" && name !== "region");
  expect(names.sort()).toEqual(Object.keys(declaredSettings).sort());
});

test("a setting that is missing altogether is told", () => {
  const config = stackConfig();
  delete config["gcp:project"];
  expect(parseSettings(config, []).problems).toMatchObject([{ where: "gcp:project", found: "nothing" }]);
});

test("a secret where plain text is expected is refused, and not shown", () => {
  const { problems } = parseSettings(stackConfig({ repositoryId: "hush" }), [
    "hyperion-registry:repositoryId",
  ]);
  expect(problems).toEqual([
    {
      where: "hyperion-registry:repositoryId",
      found: "a secret",
      allowed: `plain text: ${REPOSITORY_ID}`,
      fix: set("repositoryId", "hyperion-public"),
    },
  ]);
});

test("all problems are told at once, in one message", () => {
  const { problems } = parseSettings(stackConfig({ cleanupKeepCount: 0, version: "v1", readers: ["x"] }), []);
  expect(problemsError(problems.slice(0, 2)).message).toBe(
    [
      "2 problems; nothing was changed.",
      "",
      "hyperion-registry:cleanupKeepCount",
      '  found:   "0"',
      "  allowed: a whole number from 1 to 1000",
      "  fix:     pulumi config set hyperion-registry:cleanupKeepCount 10",
      "",
      "hyperion-registry:version",
      '  found:   "v1"',
      `  allowed: ${VERSION}`,
      "  fix:     pulumi config set hyperion-registry:version 1.4.2",
    ].join("\n"),
  );
  expect(problems).toHaveLength(3);
});

test("what GitHub is trusted with, by name and by ids", () => {
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

test.each([
  ["githubRepository", "octo_corp/Dev.Squad_2"],
  ["githubRepository", "a/git"],
  ["githubEnvironment", "Production (eu) / it's"],
  [
    "githubRefs",
    ["refs/heads/feature/#12", "refs/tags/hyperion@1.2", "refs/heads/release/*", "refs/heads/v+*"],
  ],
])("what GitHub and git take is taken: %s %j", (name, value) => {
  expect(parseSettings(stackConfig({ [name]: value }), []).problems).toEqual([]);
});

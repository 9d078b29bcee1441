import { describe, expect, test } from "vitest";
import images from "../images.json" with { type: "json" };
import { parseSettings } from "./parse.ts";
import { declaredSettings, stackConfig } from "../test/support/default-settings.ts";

/** Kinds of invalid values. */
const CATEGORIES = ["wrong type", "empty", "over-long", "wrong form", "injection"] as const;
type Category = (typeof CATEGORIES)[number];

/** Kind, value, how the message shows it, and the differences from the key's usual message. */
type Row = [category: Category, value: unknown, found: string, other?: Partial<Message>];

interface Message {
  /** Path of an element of a list or map. */
  path: string;
  allowed: string;
  /** After `pulumi config `. */
  fix: string;
}

const LONG = "a".repeat(5000);
const LONG_SHOWN = `"${"a".repeat(76)}...`;
/** Text that shells, templates and terminals interpret. */
const EVIL = "\u001b[31m$(id)`id`'; id #{{x}}\0";
const EVIL_SHOWN = String.raw`"\u001b[31m$(id)${"`id`"}'; id #{{x}}\u0000"`;
const EVIL_PATH = String.raw`["\u001b[31m$(id)${"`id`"}'; id #{{x}}\u0000"]`;
const BY_HAND = "remove it from the stack's file, Pulumi.STACK.yaml, in an editor";

/** Invalid values of every setting that is a single word. */
const USUAL: Row[] = [
  ["wrong type", ["a"], String.raw`"[\"a\"]"`],
  ["empty", "", '""'],
  ["over-long", LONG, LONG_SHOWN],
  ["injection", EVIL, EVIL_SHOWN],
];

/** @param forms values of a wrong form, which the message shows unchanged. */
function word(
  forms: readonly string[],
  allowed: string,
  example: string,
  rows: readonly Row[] = USUAL,
): [Message, Row[]] {
  const wrong = forms.map((form): Row => ["wrong form", form, JSON.stringify(form)]);
  return [{ path: "", allowed, fix: `set KEY ${example}` }, [...rows, ...wrong]];
}

/** An empty string counts as not set. */
function optionalWord(forms: readonly string[], allowed: string, example: string): [Message, Row[]] {
  const usual = USUAL.filter(([category]) => category !== "empty");
  return word(forms, allowed, example, usual);
}

const toggle = (): [Message, Row[]] => word(["yes", "1", "False", "on", "[]"], "true or false", "true");

const ACCOUNT_ID =
  "6 to 30 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen";
const REPOSITORY_ID = ACCOUNT_ID.replace("6 to 30", "1 to 63");
const PRINCIPAL =
  "a principal: user:, group:, serviceAccount:, domain:, principal://, principalSet://, allAuthenticatedUsers";
const PLATFORMS = "a list of linux/amd64, linux/arm64, or both";
const VERSION = "a semantic version such as 1.4.2 or 2.0.0-rc.1";

const setElement = (path: string, example: string): string =>
  `set --path 'hyperion-registry:${path}' ${example}`;
const removeElement = (path: string): string => `rm --path 'hyperion-registry:${path}'`;

/** An invalid element that another value fixes. */
const below = (key: string, path: string, example: string): Partial<Message> => ({
  path,
  fix: setElement(`${key}${path}`, example),
});
/** An invalid element that only its removal fixes. */
const unknown = (key: string, path: string): Partial<Message> => ({
  path,
  fix: removeElement(`${key}${path}`),
});
const label = below("labels", ".app", "hyperion");
const argument = below("buildArgs", ".hyperion-ui.A", "value");

/** An invalid principal, what is allowed, and a correction if there is one. */
type BadPrincipal = [principal: string, allowed: string, example?: string];

const BAD_PRINCIPALS: BadPrincipal[] = [
  ["dana@example.com", PRINCIPAL, "user:dana@example.com"],
  ["user:dana", "the form user:dana@example.com", "user:dana@example.com"],
  ["usr:dana@example.com", PRINCIPAL, "user:dana@example.com"],
  ["allUsers", "principals by name; for everyone, set publicAccess"],
  ["user:Dana@example.com", "lower case, as Google stores it", "user:dana@example.com"],
  [
    "deleted:user:a@b.c?uid=1",
    "principals that exist; a deleted one gets its access back only under its new identity",
  ],
  ["group:devs", "the form group:devs@example.com"],
];

function principals(key: string, more: readonly Row[] = []): [Message, Row[]] {
  const first = { path: "[0]", allowed: PRINCIPAL, fix: setElement(`${key}[0]`, "group:devs@example.com") };
  return [
    { path: "", allowed: "a list of principals", fix: "rm KEY" },
    [
      ["wrong type", { a: 1 }, String.raw`"{\"a\":1}"`],
      ["empty", "", '""'],
      ["empty", [""], '""', first],
      [
        "over-long",
        [`user:${LONG}@b.c`],
        `"user:${"a".repeat(71)}...`,
        { ...first, allowed: "at most 512 characters" },
      ],
      ["injection", [EVIL], EVIL_SHOWN, first],
      ["wrong type", "user:dana@example.com", '"user:dana@example.com"'],
      ["wrong type", [7], "7", { ...first, allowed: "a list of principals" }],
      [
        "wrong form",
        ["user:a@b.c", "user:a@b.c"],
        '"user:a@b.c"',
        { path: "[1]", allowed: "each value once", fix: removeElement(`${key}[1]`) },
      ],
      ...BAD_PRINCIPALS.map(([principal, allowed, example = "group:devs@example.com"]): Row => {
        const fix = setElement(`${key}[0]`, example);
        return ["wrong form", [principal], JSON.stringify(principal), { ...first, allowed, fix }];
      }),
      ...more,
    ],
  ];
}

const BAD_REFS = [
  "main",
  "refs/heads/",
  "refs/heads/*",
  "refs/heads/x') || ('",
  ...["feature branch", "a..b", "a.lock", "a//b", ".a", "a/", "a@{1}", "a~1", "a*b", "a."].map(
    (name) => `refs/heads/${name}`,
  ),
];

const BAD: Record<string, [Message, Row[]]> = {
  "gcp:project": word(
    ["Production", "123456789012", "p-123", "my-project-", "example.com:my-project"],
    "the id of a Google Cloud project: 6 to 30 lower-case letters, digits and hyphens",
    "production-471918",
  ),
  "gcp:region": word(
    ["us-central1-a", "us-centrl1", "us-central9", "US", "us", "europe", "asia"],
    "a region of Artifact Registry, such as us-central1",
    "us-central1",
  ),
  manageRegistry: toggle(),
  repositoryId: word(["Hyperion", "ends-", "../other", "a; rm -rf /"], REPOSITORY_ID, "hyperion-public"),
  labels: [
    {
      path: "",
      allowed:
        "at most 63 labels; names and values of at most 63 lower-case letters, digits, _ and - (128 bytes), a name beginning with a letter",
      fix: "rm KEY",
    },
    [
      ["wrong type", ["a"], String.raw`"[\"a\"]"`],
      ["wrong type", "hyperion", '"hyperion"'],
      ["wrong type", { app: 1 }, "1", label],
      ["wrong form", { App: "x" }, 'the name "App"', unknown("labels", ".App")],
      ["wrong form", { app: "Hyperion" }, '"Hyperion"', label],
      ["wrong form", { "1app": "x" }, 'the name "1app"', unknown("labels", ".1app")],
      ["wrong form", { app: "Ü" }, '"Ü"', label],
      ["over-long", { app: "語".repeat(43) }, `"${"語".repeat(43)}"`, label],
      [
        "over-long",
        Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`l${i}`, ""])),
        `"{${Array.from({ length: 8 }, (_, i) => String.raw`\"l${i}\":\"\"`)
          .join(",")
          .slice(0, 75)}...`,
        { path: "" },
      ],
      ["empty", "", '""'],
      ["empty", { "": "x" }, 'the name ""', unknown("labels", '[""]')],
      ["over-long", { app: LONG }, LONG_SHOWN, label],
      [
        "wrong form",
        { "it's": "x" },
        `the name "it's"`,
        { path: `["it's"]`, fix: String.raw`rm --path 'hyperion-registry:labels["it'\''s"]'` },
      ],
      ["injection", { [EVIL]: "x" }, `the name ${EVIL_SHOWN}`, { path: EVIL_PATH, fix: BY_HAND }],
      ["injection", { app: EVIL }, EVIL_SHOWN, label],
    ],
  ],
  cleanupUntaggedAfterDays: word(["1.5", "0", "14d"], "a whole number from 1 to 3650", "14"),
  cleanupBuildsAfterDays: word(["3651", "0", "never"], "a whole number from 1 to 3650", "77"),
  cleanupKeepCount: word(["0", "1001", "-1", "1000000000"], "a whole number from 1 to 1000", "10"),
  cleanupDryRun: toggle(),
  vulnerabilityScanning: word(["on"], "inherited or disabled", "inherited"),
  adoptExisting: toggle(),
  protect: toggle(),
  sourceDir: word(
    ["a\nb"],
    "a folder, relative to this project",
    ".",
    USUAL.filter(([category]) => category !== "wrong type"),
  ),
  platforms: [
    {
      path: "[0]",
      allowed: PLATFORMS,
      fix: setElement("platforms[0]", "linux/amd64"),
    },
    [
      ["wrong type", "linux/amd64", '"linux/amd64"', { path: "", fix: "rm KEY" }],
      ["empty", [], '"[]"', { path: "", fix: "rm KEY" }],
      ["empty", [""], '""'],
      ["over-long", [LONG], LONG_SHOWN],
      ["wrong form", ["linux/386"], '"linux/386"'],
      [
        "wrong form",
        ["linux/arm64", "linux/arm64"],
        '"linux/arm64"',
        { path: "[1]", allowed: "each value once", fix: removeElement("platforms[1]") },
      ],
      ["injection", [EVIL], EVIL_SHOWN],
    ],
  ],
  publishImages: toggle(),
  buildArgs: [
    {
      path: ".hyperion-ui",
      allowed: `for each image (${images.map(({ name }) => name).join(", ")}) a map from argument to value`,
      fix: "rm KEY",
    },
    [
      ["wrong type", ["a"], String.raw`"[\"a\"]"`, { path: "" }],
      ["empty", "", '""', { path: "" }],
      ["empty", { "hyperion-ui": "" }, '""', { fix: setElement("buildArgs.hyperion-ui", "value") }],
      ["over-long", { "hyperion-ui": { A: LONG } }, LONG_SHOWN, argument],
      ["wrong type", { "hyperion-ui": { A: 1 } }, "1", argument],
      ["wrong form", { "hyperion-ux": {} }, 'the name "hyperion-ux"', unknown("buildArgs", ".hyperion-ux")],
      [
        "wrong form",
        { "hyperion-ui": { "A B": "c" } },
        'the name "A B"',
        unknown("buildArgs", '.hyperion-ui["A B"]'),
      ],
      [
        "wrong form",
        { "hyperion-ui": { "A=B": "c" } },
        'the name "A=B"',
        unknown("buildArgs", '.hyperion-ui["A=B"]'),
      ],
      [
        "injection",
        { "hyperion-ui": { [EVIL]: "c" } },
        `the name ${EVIL_SHOWN}`,
        { path: `.hyperion-ui${EVIL_PATH}`, fix: BY_HAND },
      ],
    ],
  ],
  buildCache: word(["remote"], "local or registry", "local"),
  buildOnPreview: toggle(),
  version: [
    { path: "", allowed: VERSION, fix: "set KEY VERSION" },
    [
      ["wrong type", ["1.4.2"], String.raw`"[\"1.4.2\"]"`],
      [
        "over-long",
        LONG,
        LONG_SHOWN,
        {
          allowed: `${VERSION} of at most 116 characters, because it becomes a tag (it has 5000)`,
        },
      ],
      ["wrong form", "1.4", '"1.4"'],
      ["injection", EVIL, EVIL_SHOWN, { allowed: `${VERSION}, without whitespace` }],
    ],
  ],
  revision: optionalWord(
    ["abc123f", "A".repeat(40)],
    "a full git commit, 40 lowercase hexadecimal digits, as `git rev-parse HEAD` prints",
    '"$(git rev-parse HEAD)"',
  ),
  releaseDate: optionalWord(["10.01.2025"], "a date YYYY-MM-DD such as 2025-01-10", '"$(date -u +%F)"'),
  readers: principals("readers"),
  writers: principals("writers", [
    [
      "wrong form",
      ["allAuthenticatedUsers"],
      '"allAuthenticatedUsers"',
      {
        path: "[0]",
        allowed: "principals by name; any Google account could push",
        fix: removeElement("writers[0]"),
      },
    ],
  ]),
  publicAccess: toggle(),
  overrideDomainRestrictedSharing: toggle(),
  ciServiceAccountId: word(
    ["ci@project", "ci", "1hyperion", "hyperion-", "a".repeat(31)],
    ACCOUNT_ID,
    "hyperion-ci",
  ),
  ciCanPublish: toggle(),
  githubPoolId: word(
    ["gcp-pool", "abc", "GitHub", "hyperion_github"],
    "4 to 32 lower-case letters, digits and hyphens, not beginning with gcp-",
    "hyperion-github",
  ),
  githubRepository: optionalWord(
    ["https://github.com/a/b", "dev-squad", "a/b' || true || '", "a/b.git", "a/b.wiki", "a/B.GIT", "a/.."],
    "owner/name, as in the repository's address",
    "HyperionWave-AI/dev-squad",
  ),
  githubRepositoryId: optionalWord(
    ["-1", "dev-squad"],
    "the repository's number, in quotes",
    '"$(gh api repos/OWNER/NAME --jq .id)"',
  ),
  githubOwnerId: optionalWord(
    ["0", "-1"],
    "the owner's number, in quotes",
    '"$(gh api users/OWNER --jq .id)"',
  ),
  githubRefs: [
    {
      path: "[0]",
      allowed: "full git refs such as refs/heads/main, or refs/tags/v* with one star at the end",
      fix: setElement("githubRefs[0]", "refs/heads/main"),
    },
    [
      ["wrong type", { a: 1 }, String.raw`"{\"a\":1}"`, { path: "", fix: "rm KEY" }],
      ["empty", [""], '""'],
      ["over-long", [`refs/heads/${LONG}`], `"refs/heads/${"a".repeat(65)}...`],
      ...BAD_REFS.map((ref): Row => ["wrong form", [ref], JSON.stringify(ref)]),
      ["injection", [EVIL], EVIL_SHOWN],
    ],
  ],
  githubEnvironment: word(
    [" production"],
    "the name of an environment of the repository: 1 to 255 characters",
    "production",
    [...USUAL.filter(([category]) => category !== "wrong type"), ["over-long", "a".repeat(256), LONG_SHOWN]],
  ),
};

/** Valid values: an empty string counts as not set, and any text can name a folder or an environment. */
const ALLOWED: [key: string, category: Category][] = [
  ...["version", "revision", "releaseDate", "githubRepository", "githubRepositoryId", "githubOwnerId"].map(
    (key): [string, Category] => [key, "empty"],
  ),
  ["sourceDir", "wrong type"],
  ["githubEnvironment", "wrong type"],
];

const ROWS = Object.entries(BAD).flatMap(([key, [usual, rows]]) => {
  const fullKey = key.includes(":") ? key : `hyperion-registry:${key}`;
  return rows.map(([category, value, found, other]) => {
    const { path, allowed, fix } = { ...usual, ...other };
    const command = fix === BY_HAND ? fix : `npm run pulumi -- config ${fix.replace("KEY", fullKey)}`;
    return { key, category, value, problem: { where: fullKey + path, found, allowed, fix: command } };
  });
});

test.each(ROWS)("$key, $category: $problem.found", ({ key, value, problem }) => {
  expect(parseSettings(stackConfig({ [key]: value }), []).problems).toEqual([problem]);
});

/** Examples of Google's documentation, shortest and longest values, and names that GitHub and git accept. */
const GOOD: [key: string, values: unknown[]][] = [
  ["gcp:project", ["tokyo-rain-123", "my-project", "a23456", `a${"2".repeat(29)}`]],
  [
    "gcp:region",
    [
      ...[
        "us-central1",
        "us-east5",
        "us-west4",
        "us-south1",
        "northamerica-northeast2",
        "northamerica-south1",
      ],
      ...["southamerica-west1", "europe-west12", "europe-southwest1", "europe-north2", "europe-central2"],
      ...[
        "asia-southeast3",
        "asia-northeast3",
        "australia-southeast2",
        "me-central2",
        "me-west1",
        "africa-south1",
      ],
    ],
  ],
  ["repositoryId", ["a", "quickstart-docker-repo", "r2", "a".repeat(63)]],
  [
    "labels",
    [
      { team: "research", environment: "test", component: "redis", state: "readytodelete" },
      { équipe: "données", 部門: "開発" },
      { a: "", ["b".repeat(63)]: "1".repeat(63) },
      Object.fromEntries(Array.from({ length: 63 }, (_, i) => [`l${i}`, ""])),
    ],
  ],
  ["ciServiceAccountId", ["my-service-account", "abcdef", "a".repeat(30)]],
  ["githubPoolId", ["my-pool", "1234", "a".repeat(32)]],
  ["githubRepository", ["octo_corp/Dev.Squad_2", "a/git"]],
  ["githubEnvironment", ["Production (eu) / it's"]],
  [
    "githubRefs",
    [["refs/heads/feature/#12", "refs/tags/hyperion@1.2", "refs/heads/release/*", "refs/heads/v+*"]],
  ],
];

test.each(GOOD.flatMap(([key, values]) => values.map((value) => [key, value] as const)))(
  "%s accepts %j",
  (key, value) => {
    expect(parseSettings(stackConfig({ [key]: value }), []).problems).toEqual([]);
  },
);

test("the table has every kind of invalid value for every setting", () => {
  const keys = ["gcp:project", "gcp:region", ...Object.keys(declaredSettings)];
  const missing = keys.flatMap((key) =>
    CATEGORIES.filter((category) => !ROWS.some((row) => row.key === key && row.category === category)).map(
      (category) => [key, category],
    ),
  );
  expect(missing).toEqual(ALLOWED.sort((a, b) => keys.indexOf(a[0]) - keys.indexOf(b[0])));
  for (const [key, category] of ALLOWED) {
    const value = category === "empty" ? "" : "[]";
    expect(parseSettings(stackConfig({ [key]: value }), []).problems).toEqual([]);
  }
});

/** Settings whose usual message depends on the value. */
const IN_SHORT: Record<string, string> = {
  version: "a semantic version such as 1.4.2",
  revision: "a full git commit: 40 lower-case hexadecimal digits",
  releaseDate: "a date, YYYY-MM-DD",
};

test.each(Object.entries(BAD))("%s as a secret is refused without its value", (name, [usual]) => {
  const where = name.includes(":") ? name : `hyperion-registry:${name}`;
  const { problems } = parseSettings(stackConfig({ [name]: "hush" }), [where]);
  const allowed = `plain text: ${IN_SHORT[name] ?? usual.allowed}`;
  const fix = usual.fix.includes("--path") ? "rm KEY" : usual.fix;
  expect(problems).toEqual([
    { where, found: "a secret", allowed, fix: `npm run pulumi -- config ${fix.replace("KEY", where)}` },
  ]);
  expect(JSON.stringify(problems)).not.toContain("hush");
});

describe("a key that does not exist", () => {
  const names = Object.keys(declaredSettings).join(", ");
  const RENAME = "rename it to hyperion-registry:publicAccess in the stack's file, Pulumi.STACK.yaml";

  test.each<[key: string, where: string, allowed: string, fix: string]>([
    ["publicAcess", "publicAcess", "hyperion-registry:publicAccess", RENAME],
    ["PUBLICACCESS", "PUBLICACCESS", "hyperion-registry:publicAccess", RENAME],
    ["colour", "colour", names, "npm run pulumi -- config rm KEY"],
    ["$(id)", "$(id)", names, "npm run pulumi -- config rm 'KEY'"],
    ["it's", "it's", names, String.raw`npm run pulumi -- config rm 'hyperion-registry:it'\''s'`],
    ["a\u001b[2J\0", String.raw`a\u001b[2J\u0000`, names, BY_HAND],
    [LONG, `${"a".repeat(179)}...`, names, BY_HAND],
  ])("%j", (key, where, allowed, fix) => {
    const full = `hyperion-registry:${key}`;
    expect(parseSettings({ ...stackConfig(), [full]: "x" }, []).problems).toEqual([
      {
        where: `hyperion-registry:${where}`,
        found: "a setting that does not exist",
        allowed,
        fix: fix.replace("KEY", full),
      },
    ]);
  });

  test("in a misspelled namespace", () => {
    const { problems } = parseSettings({ ...stackConfig(), "hyperion-registy:publicAccess": "true" }, []);
    expect(problems).toEqual([
      {
        where: "hyperion-registy:publicAccess",
        found: "a setting that does not exist",
        allowed: "hyperion-registry:publicAccess",
        fix: RENAME,
      },
    ]);
  });

  test("but settings of plugins are accepted", () => {
    expect(parseSettings({ ...stackConfig(), "docker:host": "x" }, []).problems).toEqual([]);
  });
});

test("a contradiction is reported beside invalid settings, unless it depends on one", () => {
  const { problems } = parseSettings(
    stackConfig({ cleanupKeepCount: 0, releaseDate: "2025-01-10", version: "v1", githubOwnerId: "1" }),
    [],
  );
  // The date depends on the invalid version.
  expect(problems.map(({ where }) => where.replace("hyperion-registry:", ""))).toEqual([
    "cleanupKeepCount",
    "version",
    "githubRepository",
    "githubRepositoryId",
  ]);
});

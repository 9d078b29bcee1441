import { describe, expect, test } from "vitest";
import { corrections, differingSources, movedVersions, overtaken, type Plan, planRelease } from "./plan.ts";
import type { Release } from "./tags.ts";

/** Every tag on the digest that is named for it; an image that is not named has what all have. */
type Content = Record<string, string>;

const IMAGES = ["mcp", "bridge", "ui"];

function registry(all: Content, own: Record<string, Content> = {}): Map<string, Map<string, string>> {
  const images = [...new Set([...IMAGES, ...Object.keys(own)])];
  return new Map(images.map((image) => [image, new Map(Object.entries(own[image] ?? all))]));
}

const plan = (release: Partial<Release>, content: Map<string, Map<string, string>>): Plan =>
  planRelease({ edge: false, rollback: false, allowVersionOverwrite: false, ...release }, content);

/** What is set on an image: `1.4.2 | 1.4 1 latest | v1.4.2 @ digest`, or nothing. */
function shown({ images }: Plan, image = "ui"): string {
  const { digest, steps } = images.get(image) ?? { digest: undefined, steps: [] };
  return steps.flat().length === 0
    ? ""
    : `${steps.map((step) => step.join(" ")).join(" | ")} @ ${digest ?? "build"}`;
}

/** As a version is left by a run that ended. */
const whole = (version: string, digest: string, ...floating: string[]): Content =>
  Object.fromEntries([version, `v${version}`, `build-${version}`, ...floating].map((tag) => [tag, digest]));

/** As the program published it before there were `v1.4.2` and candidates. */
const legacy = (version: string, digest: string, ...floating: string[]): Content =>
  Object.fromEntries([version, ...floating].map((tag) => [tag, digest]));

const COMMIT = "abc123f0".repeat(5);

describe("a version that is not published", () => {
  test.each<[string, Content, string]>([
    ["1.4.2", {}, "1.4.2 | 1.4 1 latest | v1.4.2 @ build"],
    ["0.3.1", {}, "0.3.1 | 0.3 latest | v0.3.1 @ build"],
    ["2.0.0-rc.1", {}, "2.0.0-rc.1 |  | v2.0.0-rc.1 @ build"],
    ["1.4.2", whole("2.0.0-rc.1", "r"), "1.4.2 | 1.4 1 latest | v1.4.2 @ build"],
    ["1.4.1", whole("1.4.2", "a", "1.4", "1", "latest"), "1.4.1 |  | v1.4.1 @ build"],
    ["1.5.0", whole("2.0.0", "a", "2.0", "2", "latest"), "1.5.0 | 1.5 1 | v1.5.0 @ build"],
    ["1.4.3", { ...whole("1.5.0", "a"), ...whole("2.0.0", "b") }, "1.4.3 | 1.4 | v1.4.3 @ build"],
    ["1.4.3", legacy("1.4.2", "a", "latest"), "1.4.3 | 1.4 1 latest | v1.4.3 @ build"],
  ])("%s beside %j", (version, content, expected) => {
    const made = plan({ version }, registry(content));
    expect(made.problems).toEqual([]);
    expect(IMAGES.map((image) => shown(made, image))).toEqual([expected, expected, expected]);
    expect(made.candidate).toBe(`build-${version}`);
  });

  test("says in a line which tags stay, and on what", () => {
    const content = registry({ ...whole("1.5.0", "a"), ...whole("2.0.0", "b") });
    expect(plan({ version: "1.4.3" }, content).notes).toEqual([
      "1 stays: 1.5.0 is published and higher.",
      "latest stays: 2.0.0 is published and higher.",
    ]);
  });

  test("has its commit beside it", () => {
    expect(shown(plan({ version: "1.4.2", revision: COMMIT }, registry({})))).toBe(
      "1.4.2 abc123f | 1.4 1 latest | v1.4.2 @ build",
    );
  });

  test("goes past a version that only one image has: a run was killed there", () => {
    const content = registry({ "build-1.4.3": "c" }, { ui: { "build-1.4.3": "c", "1.4.3": "c" } });
    expect(shown(plan({ version: "1.4.2" }, content))).toBe("1.4.2 | 1.4 1 latest | v1.4.2 @ build");
  });
});

test.each<[string, Content, string]>([
  ["that has them", whole("1.4.3", "b", "1.4", "1", "latest"), "1.4.2 |  | v1.4.2 @ build"],
  [
    "whose run was killed before it had any",
    { "1.4.3": "b", "build-1.4.3": "b", ...whole("1.3.0", "o", "1.3", "1", "latest") },
    "1.4.2 | 1.4 | v1.4.2 @ build",
  ],
])("a new version below a withdrawn one %s", (_, above, expected) => {
  const content = registry({ "withdrawn-1.4.3": "b", ...above });
  expect(shown(plan({ version: "1.4.2" }, content))).toBe(expected);
});

describe("a version that is published", () => {
  const published = whole("1.4.2", "a", "1.4", "1", "latest");
  /** The builds in hand: those of the version, but for the user interface's. */
  const builds = <T>(ui: T) => new Map(IMAGES.map((image) => [image, image === "ui" ? ui : "a"]));

  test.each<[string, Content, string]>([
    ["stands on its digest with what stands on it", published, "1.4.2 | 1.4 1 latest | v1.4.2 @ a"],
    [
      "takes back nothing that has gone on",
      { ...published, ...whole("1.4.3", "b", "1.4", "1", "latest") },
      "1.4.2 |  | v1.4.2 @ a",
    ],
    [
      "gets its second name where it has none",
      legacy("1.4.2", "a", "1.4"),
      "1.4.2 | 1.4 1 latest | v1.4.2 @ a",
    ],
    [
      "does not go forward where somebody moved its tags by hand",
      { ...whole("1.4.1", "o", "1.4", "1", "latest"), ...whole("1.4.2", "a") },
      "1.4.2 |  | v1.4.2 @ a",
    ],
    [
      "goes on where the run was killed before the floating tags",
      { ...whole("1.4.1", "o", "1.4", "1", "latest"), "1.4.2": "a", "build-1.4.2": "a" },
      "1.4.2 | 1.4 1 latest | v1.4.2 @ a",
    ],
    [
      "does not go on there after a rollback",
      {
        ...whole("1.4.1", "o", "1.4", "1", "latest"),
        "1.4.2": "a",
        "build-1.4.2": "a",
        "withdrawn-1.4.2": "a",
      },
      "1.4.2 |  | v1.4.2 @ a",
    ],
    [
      "does not go forward after a rollback",
      { ...whole("1.4.1", "o", "1.4", "1", "latest"), ...whole("1.4.2", "a"), "withdrawn-1.4.2": "a" },
      "1.4.2 |  | v1.4.2 @ a",
    ],
  ])("%s", (_, content, expected) => {
    const made = plan({ version: "1.4.2" }, registry(content));
    expect(shown(made)).toBe(expected);
    expect(made.candidate).toBeUndefined();
  });

  test("gets deleted tags back from its own digest", () => {
    const content = registry(published, { ui: { "build-1.4.2": "a", "v1.4.2": "a", "1": "a", latest: "a" } });
    expect(shown(plan({ version: "1.4.2" }, content))).toBe("1.4.2 | 1.4 1 latest | v1.4.2 @ a");
  });

  test("is completed from the builds of the run that was killed", () => {
    const content = registry(
      { "build-1.4.2": "a", "1.4.2": "a" },
      { ui: { build: "z", "build-1.4.2": "u" } },
    );
    const made = plan({ version: "1.4.2" }, content);
    expect(shown(made)).toBe("1.4.2 | 1.4 1 latest | v1.4.2 @ u");
    expect(made.notes).toEqual([
      "1.4.2 is published in part; what it lacks is set on the builds of that run.",
    ]);
  });

  test("leaves out an image that was added later, and names it", () => {
    const made = plan({ version: "1.4.2" }, registry(published, { docs: { build: "d" } }));
    expect(shown(made, "docs")).toBe("");
    expect(made.notes).toEqual([
      "docs was added to the catalogue after 1.4.2 and is left out of it; the next version has it.",
    ]);
  });

  test("says where floating tags stay, and what moves them", () => {
    const content = registry({ ...published, ...whole("2.0.0", "b", "2.0", "2", "latest") });
    expect(plan({ version: "1.4.2" }, content).notes).toEqual([
      "latest stands elsewhere than on 1.4.2, and only a rollback moves it: npm run release -- 1.4.2 --rollback",
    ]);
  });

  test("says in a line that the sources differ", () => {
    const made = plan({ version: "1.4.2" }, registry(published));
    expect(differingSources("1.4.2", made, builds("a"))).toBeUndefined();
    for (const other of ["z", undefined])
      expect(differingSources("1.4.2", made, builds(other))).toBe(
        "The sources of ui differ from 1.4.2, which stays as it is. To publish them: npm run release -- 1.4.3",
      );
  });

  test("moves by allowVersionOverwrite alone, with what stands on it", () => {
    const content = registry({ ...published, ...whole("2.0.0", "b", "latest") });
    const made = plan({ version: "1.4.2", allowVersionOverwrite: true }, content);
    expect(shown(made)).toBe("1.4.2 | 1.4 1 | v1.4.2 @ build");
    expect(made.candidate).toBe("build-1.4.2");
  });

  test("is refused when another run published it meanwhile", () => {
    expect(movedVersions("1.4.2", builds("z"), registry(published))).toMatchObject([
      { where: "ui:1.4.2", found: "published meanwhile as a; this build is z" },
    ]);
  });
});

describe("a rollback", () => {
  const bad = { ...whole("1.4.2", "a"), ...whole("1.4.3", "b", "1.4", "1", "latest") };

  test.each<[string, Content, string, string[]]>([
    ["takes all floating tags back", bad, "1.4.2 | 1.4 1 latest | v1.4.2 @ a", ["withdrawn-1.4.3"]],
    [
      "leaves latest on another major",
      { ...bad, ...whole("2.0.0", "c", "2.0", "2", "latest") },
      "1.4.2 | 1.4 1 | v1.4.2 @ a",
      ["withdrawn-1.4.3"],
    ],
    [
      "of a major takes latest back",
      { ...whole("1.4.2", "a", "1.4", "1"), ...whole("2.0.0", "c", "2.0", "2", "latest") },
      "1.4.2 | 1.4 1 latest | v1.4.2 @ a",
      ["withdrawn-2.0.0"],
    ],
    [
      "is the same once the bad version's tags are gone",
      {
        ...whole("1.4.2", "a", "1.4", "1"),
        "withdrawn-1.4.3": "b",
        ...whole("2.0.0", "c", "2.0", "2", "latest"),
      },
      "1.4.2 | 1.4 1 | v1.4.2 @ a",
      [],
    ],
  ])("%s", (_, content, expected, marks) => {
    const made = plan({ version: "1.4.2", rollback: true }, registry(content));
    expect(shown(made)).toBe(expected);
    expect(made.marks.filter(({ image }) => image === "ui").map(({ tag }) => tag)).toEqual(marks);
  });

  test("leaves an image alone that was added later", () => {
    const made = plan(
      { version: "1.4.2", rollback: true },
      registry(bad, { docs: whole("1.4.3", "d", "latest") }),
    );
    expect(shown(made, "docs")).toBe("");
    expect(made.notes).toContain(
      "docs was added to the catalogue after 1.4.2 and is left out of it; the next version has it.",
    );
  });

  test.each<[string, string, Content]>([
    ["1.4.1", "1.4.1, which is not published as a whole, so that there is nothing to go back to", bad],
    ["1.4.3-rc.1", "true, beside the prerelease 1.4.3-rc.1", whole("1.4.3-rc.1", "a")],
  ])("to %s is refused", (version, found, content) => {
    const made = plan({ version, rollback: true }, registry(content));
    expect(made.problems).toMatchObject([{ found }]);
    expect(shown(made)).toBe("");
  });
});

test("a withdrawn version whose tag was removed does not come back", () => {
  for (const left of [
    { "withdrawn-1.4.3": "b" },
    { "withdrawn-1.4.3": "b", "v1.4.3": "b", "build-1.4.3": "b" },
  ]) {
    const made = plan({ version: "1.4.3" }, registry({ ...whole("1.4.2", "a", "1.4"), ...left }));
    expect(made.problems).toMatchObject([
      { where: "hyperion-registry:version", fix: "npm run release -- 1.4.4" },
    ]);
    expect(shown(made)).toBe("");
  }
});

describe("without a version", () => {
  test.each<[string, Partial<Release>, Content, string]>([
    ["a commit", { revision: COMMIT }, {}, "abc123f |  |  @ build"],
    [
      "the tip of main",
      { revision: COMMIT, releaseDate: "2025-01-10", edge: true },
      {},
      "abc123f edge 2025-01-10 |  |  @ build",
    ],
    [
      "another commit of the day",
      { revision: COMMIT, releaseDate: "2025-01-10" },
      {},
      "abc123f |  |  @ build",
    ],
    ["nothing", {}, {}, "latest |  |  @ build"],
    ["nothing beside a prerelease", {}, whole("1.0.0-rc.1", "a"), "latest |  |  @ build"],
    ["nothing beside a version", {}, whole("1.0.0", "a", "latest"), ""],
  ])("%s", (_, release, content, expected) => {
    expect(shown(plan(release, registry(content)))).toBe(expected);
  });

  test("says what stays, and what to name", () => {
    expect(plan({ revision: COMMIT, releaseDate: "2025-01-10" }, registry({})).notes).toEqual([
      "edge and 2025-01-10 stay: only the tip of main moves that (setting edge).",
    ]);
    expect(plan({}, registry({ ...whole("1.9.0", "a"), ...whole("1.10.0", "b") })).notes).toEqual([
      "No version is named, so that no tag is declared; what is published stays in the registry. To name it: pulumi config set hyperion-registry:version 1.10.0",
    ]);
  });
});

describe("a run that is overtaken", () => {
  const made = plan({ version: "1.4.2" }, registry({}));
  const own = whole("1.4.2", "a");

  test("stops before the floating tags with one line", () => {
    expect(overtaken(made, registry(own))).toBeUndefined();
    expect(overtaken(made, registry({ ...own, ...whole("1.4.3", "b") }))).toBe(
      "1.4.2 is published, and was overtaken: 1.4, 1 and latest stay: 1.4.3 is published and higher. Run it again to finish the rest.",
    );
  });

  test("does not count what it knew, nor what is there in part", () => {
    const content = legacy("1.4.3", "b");
    const known = plan(
      { version: "1.4.2" },
      registry({ ...own, ...content, "1.4": "a", "1": "a", latest: "a" }),
    );
    expect(overtaken(known, registry({ ...own, ...content }))).toBeUndefined();
    const part = registry(own, { ui: { ...own, "1.4.3": "b" }, mcp: { ...own, "build-1.4.3": "b" } });
    expect(overtaken(made, part)).toBeUndefined();
  });

  test("puts what it has set on the higher version", () => {
    const content = { ...own, ...whole("1.5.0", "b", "1.5", "1", "latest"), "1.4": "a" };
    expect(corrections(made, registry(content))).toEqual([]);
    expect(corrections(made, registry(content, { ui: { ...content, latest: "a" } }))).toEqual([
      { image: "ui", tag: "latest", digest: "b" },
    ]);
  });

  test("takes back what one of a lower version has taken, unless it was withdrawn", () => {
    const content = { ...whole("1.4.1", "o"), ...whole("1.4.2", "a", "1.4", "1", "latest") };
    const taken = { ...content, "1.4": "o" };
    expect(corrections(made, registry(content, { ui: taken }))).toEqual([
      { image: "ui", tag: "1.4", digest: "a" },
    ]);
    expect(corrections(made, registry({ ...taken, "withdrawn-1.4.2": "a" }))).toEqual([]);
  });
});

import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  backportProblem,
  immutableTag,
  publishedTags,
  releaseDateProblem,
  releaseProblems,
  revisionProblem,
  versionProblem,
  type Release,
} from "./tags.ts";

const revision = "abc123f0123456789abcdef0123456789abcdef0";

describe("publishedTags", () => {
  const table: [Release, string[]][] = [
    [{}, ["latest"]],
    [{ version: "1.4.2" }, ["1.4.2", "1.4", "1", "latest"]],
    [{ version: "1.0.0" }, ["1.0.0", "1.0", "1", "latest"]],
    [{ version: "10.20.30" }, ["10.20.30", "10.20", "10", "latest"]],
    [{ version: "0.3.1" }, ["0.3.1", "0.3", "latest"]],
    [{ version: "0.0.0" }, ["0.0.0", "0.0", "latest"]],
    [{ version: "2.0.0-rc.1" }, ["2.0.0-rc.1"]],
    [{ version: "0.1.0-alpha" }, ["0.1.0-alpha"]],
    [{ version: "1.0.0--x" }, ["1.0.0--x"]],
    [{ version: "1.3.9", backport: true }, ["1.3.9", "1.3"]],
    [{ version: "0.2.7", backport: true }, ["0.2.7", "0.2"]],
    [{ version: "1.4.2", backport: false }, ["1.4.2", "1.4", "1", "latest"]],
    [{ revision }, ["abc123f", "edge"]],
    [{ releaseDate: "2025-01-10" }, ["2025-01-10"]],
    [{ revision, releaseDate: "2025-01-10" }, ["abc123f", "edge", "2025-01-10"]],
    [{ version: "1.4.2", revision }, ["1.4.2", "1.4", "1", "latest", "abc123f"]],
    [{ version: "1.4.2", releaseDate: "2025-01-10" }, ["1.4.2", "1.4", "1", "latest", "2025-01-10"]],
    [
      { version: "1.4.2", revision, releaseDate: "2025-01-10" },
      ["1.4.2", "1.4", "1", "latest", "abc123f", "2025-01-10"],
    ],
    [{ version: "2.0.0-rc.1", revision }, ["2.0.0-rc.1", "abc123f"]],
    [{ version: "1.3.9", revision, backport: true }, ["1.3.9", "1.3", "abc123f"]],
    [{ revision: "1234567".padEnd(40, "0") }, ["1234567", "edge"]],
    [{ version: "20250110.0.0" }, ["20250110.0.0", "20250110.0", "20250110", "latest"]],
  ];
  test.each(table)("%j -> %j", (release, tags) => {
    expect(publishedTags(release)).toEqual(tags);
  });

  it("refuses a badly formed value instead of publishing under it", () => {
    expect(() => publishedTags({ version: "v1.4.2" })).toThrow(
      /^version: must be .* write 1\.4\.2, without v$/,
    );
    expect(() => publishedTags({ backport: true })).toThrow(/^backport: takes a version/);
  });
});

describe("immutableTag", () => {
  test.each<[Release, string | undefined]>([
    [{ version: "1.4.2", revision }, "1.4.2"],
    [{ version: "2.0.0-rc.1" }, "2.0.0-rc.1"],
    [{ revision, releaseDate: "2025-01-10" }, undefined],
    [{}, undefined],
  ])("%j -> %s", (release, tag) => {
    expect(immutableTag(release)).toBe(tag);
  });
});

describe("versionProblem", () => {
  const form = "must be a semantic version such as 1.4.2 or 2.0.0-rc.1";
  test.each<[string, string]>([
    ["", `${form}, not empty; leave it out to publish without a version`],
    ["v1.4.2", `${form}: write 1.4.2, without v`],
    ["V2.0.0-rc.1", `${form}: write 2.0.0-rc.1, without V`],
    ["=1.4.2", `${form}: write 1.4.2, without =`],
    ["v1.4", form],
    ["vnext", form],
    ["v", form],
    ["1.4", form],
    ["1", form],
    ["latest", form],
    ["1.4.2.1", form],
    ["01.4.2", form],
    ["1.4.2-", form],
    ["1.4.2-01", form],
    ["1.4.2_rc", form],
    ["1.4.2-é", form],
    ["-1.4.2", form],
    [" 1.4.2", `${form}, without whitespace`],
    ["1.4.2\n", `${form}, without whitespace`],
    ["1.4.2 -rc", `${form}, without whitespace`],
    ["1.4.2+20250110", `${form}, without build metadata (a tag cannot hold "+"): write 1.4.2`],
    ["1.4.2-rc.1+b", `${form}, without build metadata (a tag cannot hold "+"): write 1.4.2-rc.1`],
    ["1234567.0.0", `${form} whose major has not exactly 7 digits: its tag 1234567 could be a commit's`],
    [`1.4.2-${"a".repeat(123)}`, `${form} of at most 128 characters, because it becomes a tag (it has 129)`],
  ])("%j", (version, message) => {
    expect(versionProblem(version)).toBe(message);
  });
  test.each(["1.4.2", "0.0.0", "2.0.0-rc.1", "1.0.0-0a", "20250110.0.0", `1.4.2-${"a".repeat(122)}`])(
    "%s is fine",
    (version) => {
      expect(versionProblem(version)).toBeUndefined();
    },
  );
});

describe("revisionProblem", () => {
  test.each([
    "",
    "abc123f",
    revision.toUpperCase(),
    `${revision}0`,
    `g${revision.slice(1)}`,
    `${revision}\n`,
  ])("%j", (text) => {
    expect(revisionProblem(text)).toMatch(/^must be a full git commit, 40 lowercase hexadecimal digits/);
  });
  it("takes a full commit", () => {
    expect(revisionProblem(revision)).toBeUndefined();
  });
});

describe("releaseDateProblem", () => {
  test.each([
    "",
    "2025-1-10",
    "20250110",
    "10.01.2025",
    "2025-01-10T00:00:00Z",
    " 2025-01-10",
    "2025-01-10\n",
  ])("%j is no date", (date) => {
    expect(releaseDateProblem(date)).toBe("must be a date YYYY-MM-DD such as 2025-01-10");
  });
  test.each([
    "2025-02-30",
    "2025-02-29",
    "2025-13-01",
    "2025-00-10",
    "2025-01-00",
    "2025-04-31",
    "2025-01-32",
  ])("%s is not in the calendar", (date) => {
    expect(releaseDateProblem(date)).toMatch(/there is no such day in the calendar$/);
  });
  test.each(["2025-01-10", "2024-02-29", "2025-12-31"])("%s is fine", (date) => {
    expect(releaseDateProblem(date)).toBeUndefined();
  });
});

describe("backportProblem", () => {
  it("takes a stable version", () => {
    expect(backportProblem("1.3.9")).toBeUndefined();
    expect(backportProblem(undefined)).toMatch(/^takes a version/);
    expect(backportProblem("2.0.0-rc.1")).toBe(
      "is for stable versions: the prerelease 2.0.0-rc.1 moves no other tag anyway",
    );
  });
});

it("reports every bad value of a release at once", () => {
  const release = { version: "v1", revision: "abc", releaseDate: "today", backport: true };
  expect(releaseProblems(release).map((problem) => problem.key)).toEqual([
    "version",
    "revision",
    "releaseDate",
  ]);
});

describe("any release", () => {
  const number = fc.nat({ max: 2_000_000 });
  const identifier = fc.stringMatching(/^[a-zA-Z-][a-zA-Z0-9-]{0,8}$/);
  const prerelease = fc
    .array(identifier, { minLength: 1, maxLength: 3 })
    .map((parts) => `-${parts.join(".")}`);
  const version = fc
    .tuple(number, number, number, fc.option(prerelease, { nil: "" }))
    .map(([major, minor, patch, suffix]) => `${major}.${minor}.${patch}${suffix}`)
    .filter((text) => versionProblem(text) === undefined);
  const date = fc
    .date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true })
    .map((day) => day.toISOString().slice(0, 10));
  const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
  const release = fc
    .record({
      version: optional(version),
      revision: optional(fc.stringMatching(/^[0-9a-f]{40}$/)),
      releaseDate: optional(date),
      backport: fc.boolean(),
    })
    .filter((one) => releaseProblems(one).length === 0);

  it("gets at least one tag, each once and each of Docker's form", () => {
    fc.assert(
      fc.property(release, (one) => {
        const tags = publishedTags(one);
        expect(tags.length).toBeGreaterThan(0);
        expect(new Set(tags).size).toBe(tags.length);
        for (const tag of tags) expect(tag).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
      }),
    );
  });

  it("moves latest only for a stable version that is no backport, or when it has no name at all", () => {
    fc.assert(
      fc.property(release, (one) => {
        const named = one.version ?? one.revision ?? one.releaseDate;
        const stable = one.version !== undefined && !one.version.includes("-");
        expect(publishedTags(one).includes("latest")).toBe(named === undefined || (stable && !one.backport));
      }),
    );
  });

  it("never moves a floating tag for a prerelease", () => {
    fc.assert(
      fc.property(release, (one) => {
        if (!one.version?.includes("-")) return;
        const others = publishedTags(one).filter((tag) => tag !== one.version);
        expect(others).toEqual(
          [one.revision?.slice(0, 7), one.releaseDate].filter((tag) => tag !== undefined),
        );
      }),
    );
  });

  it("shares no tag between a version and a commit or a date", () => {
    fc.assert(
      fc.property(release, (one) => {
        if (one.version === undefined) return;
        const byVersion = publishedTags({ version: one.version });
        for (const tag of [one.revision?.slice(0, 7), one.releaseDate]) expect(byVersion).not.toContain(tag);
      }),
      {
        examples: [
          [{ version: "1000000000.0.0", revision: "1".repeat(40), releaseDate: undefined, backport: false }],
        ],
      },
    );
  });
});

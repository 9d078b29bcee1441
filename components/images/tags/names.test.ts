import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  commitTag,
  isVersion,
  isWorkingTag,
  KEPT_TAG_PREFIXES,
  lines,
  ownTags,
  platformTag,
  prefixedTag,
  type Release,
  releaseDateProblem,
  revisionProblem,
  TAG_ROWS,
  versionBuildTag,
  versionProblem,
  withdrawnTag,
} from "./names.ts";
import { setTags } from "./set-tags.ts";
import { TagCopy } from "./store.ts";

const revision = "abc123f0123456789abcdef0123456789abcdef0";

describe("the lines of a version", () => {
  test.each<[string, string[]]>([
    ["1.4.2", ["1.4", "1", "latest"]],
    ["0.3.1", ["0.3", "latest"]],
    ["20250110.0.0", ["20250110.0", "20250110", "latest"]],
    ["2.0.0-rc.1", []],
  ])("%s: %j", (version, tags) => {
    expect(lines(version).map(({ tag }) => tag)).toEqual(tags);
  });

  test.each<[string, string[]]>([
    ["1.4.9", ["1.4", "1", "latest"]],
    ["1.5.0", ["1", "latest"]],
    ["11.4.0", ["latest"]],
    ["1.4.3-rc.1", []],
  ])("%s is in the lines %j of 1.4.2", (other, tags) => {
    expect(lines("1.4.2").flatMap(({ tag, holds }) => (holds(other) ? [tag] : []))).toEqual(tags);
  });
});

describe("versionProblem", () => {
  const form = "must be a semantic version such as 1.4.2 or 2.0.0-rc.1";
  test.each<[string, string]>([
    ["", `${form}, not empty; leave it out to publish without a version`],
    ["v1.4.2", `${form}: write 1.4.2, without v`],
    ["V2.0.0-rc.1", `${form}: write 2.0.0-rc.1, without V`],
    ["=1.4.2", `${form}: write 1.4.2, without =`],
    ["vnext", form],
    ["1.4", form],
    ["latest", form],
    ["1.4.2-01", form],
    ["1.4.2-é", form],
    [" 1.4.2", `${form}, without whitespace`],
    ["1.4.2 -rc", `${form}, without whitespace`],
    ["1.4.2+20250110", `${form}, without build metadata (a tag cannot hold "+"): write 1.4.2`],
    ["1.4.2-rc.1+b", `${form}, without build metadata (a tag cannot hold "+"): write 1.4.2-rc.1`],
    ["1234567.0.0", `${form} whose major has not exactly 7 digits: its tag 1234567 could be a commit's`],
    [`1.4.2-${"a".repeat(113)}`, `${form} of at most 116 characters, because it becomes a tag (it has 119)`],
  ])("%j", (version, message) => {
    expect(versionProblem(version)).toBe(message);
  });
  test.each(["1.4.2", "0.0.0", "2.0.0-rc.1", "1.0.0-0a", "20250110.0.0", `1.4.2-${"a".repeat(110)}`])(
    "%s is valid",
    (version) => {
      expect(versionProblem(version)).toBeUndefined();
    },
  );
});

describe("revisionProblem", () => {
  test.each(["abc123f", revision.toUpperCase(), `${revision}0`, `${revision}\n`])("%j", (text) => {
    expect(revisionProblem(text)).toMatch(/^must be a full git commit, 40 lowercase hexadecimal digits/);
  });
  it("takes a full commit", () => {
    expect(revisionProblem(revision)).toBeUndefined();
  });
});

describe("releaseDateProblem", () => {
  test.each(["", "2025-1-10", "2025-01-10T00:00:00Z", " 2025-01-10", "2025-01-10\n"])(
    "%j is not a date",
    (date) => {
      expect(releaseDateProblem(date)).toBe("must be a date YYYY-MM-DD such as 2025-01-10");
    },
  );
  test.each(["2025-02-29", "2025-13-01", "2025-01-00", "2025-04-31"])("%s is not in the calendar", (date) => {
    expect(releaseDateProblem(date)).toMatch(/there is no such day in the calendar$/);
  });
  test.each(["2025-01-10", "2024-02-29", "2025-12-31"])("%s is valid", (date) => {
    expect(releaseDateProblem(date)).toBeUndefined();
  });
});

const number = fc.nat({ max: 2_000_000 });
const identifier = fc.stringMatching(/^[a-zA-Z-][a-zA-Z0-9-]{0,8}$/);
const prerelease = fc.array(identifier, { minLength: 1, maxLength: 3 }).map((parts) => `-${parts.join(".")}`);
const version = fc
  .tuple(number, number, number, fc.option(prerelease, { nil: "" }))
  .map(([major, minor, patch, suffix]) => `${major}.${minor}.${patch}${suffix}`)
  .filter(isVersion);
const longest = `1.4.2-${"a".repeat(110)}`;

it("gives a version tags of Docker's form, each kept by cleanup and none of them a version or another's", () => {
  fc.assert(
    fc.property(fc.oneof(version, fc.constant(longest)), (one) => {
      const working = [
        versionBuildTag(one),
        withdrawnTag(one),
        ...["linux/amd64", "linux/arm64"].map((platform) => platformTag(platform, { version: one })),
      ];
      const tags = [...ownTags(one), ...working, ...lines(one).map(({ tag }) => tag)];
      expect(new Set(tags).size).toBe(tags.length);
      for (const tag of tags) expect(tag).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
      expect([prefixedTag(one), ...working].filter((tag) => !isKept(tag))).toEqual([]);
      expect(tags.filter(isVersion)).toEqual([one]);
    }),
  );
});

const isKept = (tag: string): boolean => KEPT_TAG_PREFIXES.some((prefix) => tag.startsWith(prefix));

it("keeps no commit and no day", () => {
  const day = fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-f]{40}$/), day, (commit, date) => {
      expect([commitTag(commit), date.toISOString().slice(0, 10)].filter(isKept)).toEqual([]);
    }),
  );
});

it("has a row in the documents for every tag of a release and of the tip of main", async () => {
  const releases: Release[] = [
    { version: "1.4.2" },
    { version: "2.0.0-rc.1" },
    { revision, releaseDate: "2025-01-10" },
  ];
  const builds = new Map([["ui", { digest: "sha256:a", platforms: new Map<string, string>() }]]);
  const tags = await Promise.all(
    releases.map(async (release) => {
      const registry = new Map([["ui", new Map<string, string>()]]);
      const { after } = await setTags(new TagCopy(registry), { registry, release, builds });
      return [...(after.get("ui")?.keys() ?? [])].filter((tag) => !isWorkingTag(tag));
    }),
  );
  const pulled = tags.flat().filter((tag) => tag !== "v2.0.0-rc.1");
  expect(TAG_ROWS.map(({ tag }) => tag).sort()).toEqual(pulled.sort());
});

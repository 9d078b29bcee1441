import fc from "fast-check";
import { describe, expect, test } from "vitest";
import images from "../images.json" with { type: "json" };
import { problemsError } from "../problems/problem.ts";
import { parseSettings } from "./parse.ts";
import { declaredSettings, stackConfig } from "../test/support/default-settings.ts";

const keys = ["gcp:project", "gcp:region", ...Object.keys(declaredSettings)];
const fullKey = (key: string): string => (key.includes(":") ? key : `hyperion-registry:${key}`);

/** Problematic texts, and random ones. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.json(),
  fc.stringMatching(/^[a-z0-9./:@-]{0,30}$/),
  fc.constantFrom(
    "",
    "null",
    "true",
    "0",
    "-0",
    "1e400",
    "[]",
    "{}",
    '[""]',
    '{"":""}',
    "[[[]]]",
    "__proto__",
  ),
  fc.constantFrom(
    '{"__proto__":{"a":1}}',
    '{"constructor":"x"}',
    "$(id)",
    "`id`",
    "{{x}}",
    "%s%n",
    "../..",
    "\0",
  ),
);

const config = fc
  .dictionary(
    fc.oneof(
      fc.constantFrom(...keys.map(fullKey)),
      fc.string({ unit: "binary" }).map((s) => `hyperion-registry:${s}`),
    ),
    text,
    { maxKeys: 8 },
  )
  .map((changes) => ({ ...stackConfig(), ...changes }));

describe("property: any configuration", () => {
  test("returns settings or problems, and never throws", () => {
    fc.assert(
      fc.property(config, fc.subarray(keys.map(fullKey)), (values, secrets) => {
        const { settings, problems } = parseSettings(values, secrets);
        if (problems.length > 0) return;
        for (const key of keys) expect(settings).toHaveProperty([key.replace("gcp:", "")]);
      }),
      { numRuns: 500 },
    );
  });

  test("returns a short message for each problem, without control characters", () => {
    fc.assert(
      fc.property(config, (values) => {
        const { problems } = parseSettings(values, []);
        const lines = problemsError(problems).message.split("\n");
        expect(lines).toHaveLength(1 + 5 * problems.length);
        for (const line of lines) {
          expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
          expect(line.length).toBeLessThan(1000);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("reports every invalid value", () => {
    const isNamed = (changes: Record<string, string>, key: string): boolean =>
      parseSettings(stackConfig(changes), []).problems.some(({ where }) => where.startsWith(fullKey(key)));
    const isValid = (key: string, value: string): boolean =>
      parseSettings(stackConfig({ [key]: value }), []).settings[key as "version"] !== undefined;
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), text, { maxKeys: 12 }), (changes) => {
        for (const [key, value] of Object.entries(changes)) {
          // Leaves out contradictions with a default.
          if (isValid(key, value) || !isNamed({ [key]: value }, key)) continue;
          expect(isNamed(changes, key)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("is checked quickly, even if it is long", () => {
    const piece = fc.constantFrom(
      "a",
      "a-",
      "a.",
      "1.",
      "0",
      "/",
      "@",
      "-",
      ":",
      "[",
      '{"a":',
      "refs/heads/",
      " ",
      "=",
      "v",
    );
    const long = fc
      .tuple(fc.constantFrom("", "user:", "v", "1.0.0-", "refs/heads/", "principal://", "["), piece, text)
      .map(([start, part, end]) => start + part.repeat(20_000) + end);
    const asElement = (value: string): fc.Arbitrary<string> =>
      fc.constantFrom(value, JSON.stringify([value]), JSON.stringify({ [value]: value }));
    fc.assert(
      fc.property(fc.constantFrom(...keys), long.chain(asElement), (key, value) => {
        const began = performance.now();
        parseSettings(stackConfig({ [key]: value }), []);
        expect(performance.now() - began).toBeLessThan(1000);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});

describe("property: a valid configuration", () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9_-]{0,62}$/);
  const principal = fc
    .tuple(
      fc.constantFrom("user", "group"),
      fc.stringMatching(/^[a-z0-9]{1,20}$/),
      fc.stringMatching(/^[a-z]{1,9}$/),
    )
    .map(([kind, name, host]) => `${kind}:${name}@${host}.example`);
  const valid = fc.record({
    repositoryId: fc.stringMatching(/^[a-z][a-z0-9-]{0,40}[a-z0-9]$/),
    labels: fc.dictionary(label, fc.stringMatching(/^[a-z0-9_-]{0,63}$/), { maxKeys: 60 }),
    cleanupUntaggedAfterDays: fc.integer({ min: 1, max: 3650 }),
    cleanupBuildsAfterDays: fc.integer({ min: 1, max: 3650 }),
    cleanupKeepCount: fc.integer({ min: 1, max: 1000 }),
    cleanupDryRun: fc.boolean(),
    vulnerabilityScanning: fc.constantFrom("inherited", "disabled"),
    protect: fc.boolean(),
    sourceDir: fc.stringMatching(/^[\p{L}\p{N} ./_-]{1,100}$/u),
    platforms: fc.shuffledSubarray(["linux/amd64", "linux/arm64"], { minLength: 1 }),
    buildArgs: fc.dictionary(
      fc.constantFrom(...images.map(({ name }) => name)),
      fc.dictionary(
        fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,20}$/),
        fc.string({ unit: "binary", maxLength: 4000 }),
      ),
    ),
    readers: fc.uniqueArray(principal, { maxLength: 20 }),
    writers: fc.uniqueArray(principal, { maxLength: 20 }),
    publicAccess: fc.boolean(),
    githubRepositoryId: fc.constant(""),
    githubRefs: fc.uniqueArray(fc.stringMatching(/^refs\/(heads|tags)\/[A-Za-z0-9_-]{1,50}\*?$/), {
      maxLength: 5,
    }),
  });

  test("is returned unchanged", () => {
    fc.assert(
      fc.property(valid, ({ githubRepositoryId, ...settings }) => {
        const parsed = parseSettings(stackConfig({ ...settings, githubRepositoryId }), []);
        expect(parsed.problems).toEqual([]);
        expect(parsed.settings).toMatchObject(settings);
        expect(parsed.settings.githubRepositoryId).toBeUndefined();
      }),
    );
  });
});

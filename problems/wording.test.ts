import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runCommand } from "../test/support/sandbox.ts";
import { canBeTyped, shellQuoted, shellWord, shown, shownName } from "./wording.ts";

describe("a value in a message", () => {
  test.each<[value: unknown, text: string]>([
    ["plain", '"plain"'],
    [undefined, "nothing"],
    [{ a: [1] }, '{"a":[1]}'],
    ["\u001b[31mred\0\n", String.raw`"\u001b[31mred\u0000\n"`],
    ["\u007f\u009b\u202e\u2028", String.raw`"\u007f\u009b\u202e\u2028"`],
    ["\u{e0001}", String.raw`"\udb40\udc01"`],
    ["a".repeat(78), `"${"a".repeat(78)}"`],
    ["a".repeat(79), `"${"a".repeat(76)}...`],
    [`${"a".repeat(75)}😀😀😀`, `"${"a".repeat(75)}...`],
  ])("%j", (value, text) => {
    expect(shown(value)).toBe(text);
  });

  test("property: is on one line, has no control characters, and is short", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        for (const [line, longest] of [
          [shown(text), 80],
          [shownName(text), 200],
        ] as const) {
          expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
          expect(line.length).toBeLessThanOrEqual(longest);
        }
      }),
    );
  });
});

describe("a word of a command to copy", () => {
  test("means the same text to a shell", async () => {
    const words = ["", "it's", "$(id)", "`id`", "a;b", 'a"b', "a\\b", "!x", "-n", "a b", "*", "plain-1.2"];
    const script = words.flatMap((word) => [shellWord(word), shellQuoted(word)]).join(" ");
    const back = await runCommand("bash", ["-c", `printf '%s\\0' ${script}`], process.env);
    expect(back.stdout.split("\0").slice(0, -1)).toEqual(words.flatMap((word) => [word, word]));
  });

  test("is quoted only if necessary", () => {
    expect([shellWord("hyperion-registry:version"), shellWord("a b")]).toEqual([
      "hyperion-registry:version",
      "'a b'",
    ]);
  });

  test("can be typed if it has only visible characters", () => {
    expect(["version", "it's", "a\u001bb", "a\u200bb", "a".repeat(201)].map(canBeTyped)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { exportLines } from "./environment.ts";

test("a shell reads back what was exported, whatever it is", () => {
  const values = fc.sample(fc.string({ unit: "grapheme" }), 200);
  const tricky = ["a'b", 'a"b', "$HOME", "`id`", "a\nb", "\\", "!", "#", " ", "ü", ...values];
  const variables = Object.fromEntries(tricky.map((value, index) => [`V${index}`, value]));
  const names = Object.keys(variables);
  const script = `${exportLines(variables)}printf '%s\\0' ${names.map((name) => `"$${name}"`).join(" ")}`;
  const read = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
  expect(read).toEqual(Object.values(variables));
});

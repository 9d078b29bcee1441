import fc from "fast-check";
import { expect, test } from "vitest";
import { runCommand } from "../../test/support/sandbox.ts";
import { exportLines } from "./environment.ts";

test("a shell reads the exported values back unchanged", async () => {
  const values = fc.sample(fc.string({ unit: "grapheme" }), 200);
  const tricky = ["a'b", 'a"b', "$HOME", "`id`", "a\nb", "\\", "!", "#", " ", "ü", ...values];
  const variables = Object.fromEntries(tricky.map((value, index) => [`V${index}`, value]));
  const names = Object.keys(variables);
  const script = `${exportLines(variables)}printf '%s\\0' ${names.map((name) => `"$${name}"`).join(" ")}`;
  const { stdout } = await runCommand("sh", ["-c", script], process.env);
  expect(stdout.split("\0").slice(0, -1)).toEqual(Object.values(variables));
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { runCommand } from "../../test/support/sandbox.ts";
import { exportLines, withoutNpm } from "./environment.ts";

test("a shell reads the exported values back unchanged", async () => {
  const values = fc.sample(fc.string({ unit: "grapheme" }), 200);
  const tricky = ["a'b", 'a"b', "$HOME", "`id`", "a\nb", "\\", "!", "#", " ", "ü", ...values];
  const variables = Object.fromEntries(tricky.map((value, index) => [`V${index}`, value]));
  const names = Object.keys(variables);
  const script = `${exportLines(variables)}printf '%s\\0' ${names.map((name) => `"$${name}"`).join(" ")}`;
  const { stdout } = await runCommand("sh", ["-c", script], process.env);
  expect(stdout.split("\0").slice(0, -1)).toEqual(Object.values(variables));
});

test("a shell's PATH has no folder that npm prepends for a script, except the project's own", () => {
  const npm = "/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin";
  const own = "/tmp/clone/node_modules/.bin";
  const other = "/opt/tools/node_modules/.bin";
  const path = [own, "/tmp/node_modules/.bin", "/node_modules/.bin", npm, other, "", "/usr/bin"].join(":");
  expect(withoutNpm(path, "/tmp/clone")).toEqual([own, other, "/usr/bin"]);
});

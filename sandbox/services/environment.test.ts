import { expect, test } from "vitest";
import { withoutNpm } from "./environment.ts";

test("a shell's PATH has no folder that npm prepends for a script, except the project's own", () => {
  const npm = "/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin";
  const own = "/tmp/clone/node_modules/.bin";
  const other = "/opt/tools/node_modules/.bin";
  const path = [own, "/tmp/node_modules/.bin", "/node_modules/.bin", npm, other, "", "/usr/bin"].join(":");
  expect(withoutNpm(path, "/tmp/clone")).toEqual([own, other, "/usr/bin"]);
});

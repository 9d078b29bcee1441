import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { LAST, LONGEST } from "./longest-first.ts";

test("all listed files exist", () => {
  expect([...LONGEST, ...LAST].filter((file) => !existsSync(join(repositoryRoot, file)))).toEqual([]);
});

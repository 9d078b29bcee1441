import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { LAST, LONGEST, place } from "./longest-first.ts";

test("sorts the longest files first, and files that end their sandbox last", () => {
  const files = [...LAST, "test/sandbox/report.test.ts", ...LONGEST];
  expect(files.sort((a, b) => place(a) - place(b))).toEqual([
    ...LONGEST,
    "test/sandbox/report.test.ts",
    ...LAST,
  ]);
});

test("all listed files exist", () => {
  expect([...LONGEST, ...LAST].filter((file) => !existsSync(join(repositoryRoot, file)))).toEqual([]);
});

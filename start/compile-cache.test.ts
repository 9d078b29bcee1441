import { cp, mkdir, readdir, rename, rm, stat, symlink, truncate, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { stdoutOf } from "../test/support/outcome.ts";
import { runCommand } from "../test/support/sandbox.ts";
import { useScratch } from "../test/support/scratch.ts";

// Whatever is in the cache, Node.js runs the code on disk.

const root = dirname(import.meta.dirname);
const scratch = useScratch();
let cache: string;

beforeEach(async () => {
  cache = scratch.path("node_modules/.cache/hyperion-registry");
  await mkdir(scratch.path("node_modules"));
  await symlink(join(root, "node_modules/@pulumi"), scratch.path("node_modules/@pulumi"));
  await cp(join(root, "start/start.cjs"), scratch.path("start/start.cjs"));
  await cp(join(root, "package.json"), scratch.path("package.json"));
  scratch.write("index.ts", 'import { word } from "./word.ts";\nconsole.log(word());\n');
  // Puts the first version into the cache.
  writeWord("before");
  expect(await printedWord()).toBe("before");
  expect(await cacheFiles()).not.toEqual([]);
});

/** Writes the module that returns a word. All words have the same length, so that the file sizes do not differ. */
const writeWord = (word: "before" | "after!", file = "word.ts"): string =>
  scratch.write(file, `export function word(): string {\n  return "${word}";\n}\n`);

const run = () =>
  runCommand(process.execPath, ["--require", "./start/start.cjs", "index.ts"], process.env, {
    cwd: scratch.folder,
  });

const printedWord = async (): Promise<string> => stdoutOf(await run());

async function cacheFiles(): Promise<string[]> {
  const entries = await readdir(cache, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test("after an edit with a clock that was set back", async () => {
  const farAhead = new Date("2096-01-01");
  for (const file of [scratch.path("word.ts"), ...(await cacheFiles())])
    await utimes(file, farAhead, farAhead);
  writeWord("after!");
  expect(await printedWord()).toBe("after!");
});

test("after an older file replaces the newer one, and after the newer one returns", async () => {
  const older = writeWord("after!", "older.ts");
  await utimes(older, new Date("2001-01-01"), new Date("2001-01-01"));
  await rename(scratch.path("word.ts"), scratch.path("newer.ts"));
  await rename(older, scratch.path("word.ts"));
  expect(await printedWord()).toBe("after!");
  await rename(scratch.path("newer.ts"), scratch.path("word.ts"));
  expect(await printedWord()).toBe("before");
});

test("with a cache that cannot be written", async () => {
  await rm(cache, { recursive: true });
  scratch.write("node_modules/.cache/hyperion-registry", "a file where the folder would be");
  writeWord("after!");
  expect(await printedWord()).toBe("after!");
});

test("in two processes at once without a cache", async () => {
  await rm(cache, { recursive: true });
  writeWord("after!");
  expect(await Promise.all([printedWord(), printedWord()])).toEqual(["after!", "after!"]);
  expect(await printedWord()).toBe("after!");
});

test("with truncated cache files", async () => {
  for (const file of await cacheFiles()) await truncate(file, Math.floor((await stat(file)).size / 2));
  expect(await printedWord()).toBe("before");
  writeWord("after!");
  expect(await printedWord()).toBe("after!");
});

test("and a stack trace names the line of the source, also from the cache", async () => {
  scratch.write(
    "word.ts",
    "interface Gone {\n  here: never;\n}\n\nexport function word(): Gone {\n  throw new Error('no');\n}\n",
  );
  for (const from of ["source", "cache"]) expect((await run()).output, from).toMatch(/word\.ts:6:9\b/);
});

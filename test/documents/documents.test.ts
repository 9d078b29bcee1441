import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { slug } from "github-slugger";
import { describe, expect, test } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { checkOf, documents } from "../support/documents.ts";

const all = documents();

describe.each(all)("$file", ({ file, blocks, links }) => {
  test("states how each block of commands is checked", () => {
    expect(blocks.filter((block) => checkOf(block) === undefined).map(({ where }) => where)).toEqual([]);
  });

  test("names only tests that exist", () => {
    const named = blocks.flatMap((block) => {
      const check = checkOf(block);
      return check?.kind === "elsewhere" ? [check.file] : [];
    });
    expect(named.filter((name) => !existsSync(join(repositoryRoot, name)))).toEqual([]);
  });

  test("has no broken links", () => {
    // The repository's other pages on GitHub are above its files, which are at blob/main.
    const above = "../".repeat(file.split("/").length + 1);
    const pages = ["releases", "security"].map((page) => `${above}${page}`);
    const broken = links
      .filter((link) => !/^https?:/.test(link) && !pages.some((page) => link.startsWith(page)))
      .filter((link) => {
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? file : normalize(join(dirname(file), path));
        if (!existsSync(join(repositoryRoot, target))) return true;
        const headings = all.find((document) => document.file === target)?.headings ?? [];
        return anchor !== undefined && !headings.some((heading) => slug(heading) === anchor);
      });
    expect(broken).toEqual([]);
  });

  test("names only npm scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const text = readFileSync(join(repositoryRoot, file), "utf8");
    const named = [...text.matchAll(/npm run (?:--silent )?([a-z][a-z:-]*)/g)].map(([, name]) => name ?? "");
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

test("the README links to every document", () => {
  const [readme] = all;
  expect(
    all.map(({ file }) => file).filter((file) => file !== "README.md" && !readme?.links.includes(file)),
  ).toEqual([]);
});

test("no command prints the debug log of an up, which contains the registry login", () => {
  const folders = [".ci", ".github", "bench", "sandbox", "scripts", "test"];
  const files = folders.flatMap((folder) =>
    readdirSync(join(repositoryRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/node_modules|results/.test(entry.parentPath))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const commands = [
    ...all.flatMap(({ blocks }) => blocks.map((block): [string, string] => [block.where, block.commands])),
    ...files.map((file): [string, string] => [file, readFileSync(file, "utf8")]),
  ];
  expect(commands.length).toBeGreaterThan(200);
  const printing = /\b(up|tryUp|destroy)\b["' (].*["' ](--json|--debug|--logflow|--logtostderr|-d)\b/;
  expect(commands.filter(([, text]) => printing.test(text)).map(([where]) => where)).toEqual([]);
});

test("a block without a valid mark does not count as checked", () => {
  const block = { where: "README.md:1", commands: "true" };
  for (const mark of [
    undefined,
    "",
    "runs",
    "needs Google",
    "run by",
    "needs Google, runs in a.test.ts",
    "settings: generated",
  ])
    expect(checkOf({ ...block, mark })).toBeUndefined();
});

/**
 * Checks the rules of the house: who may import whom, nothing unused, one form of file names, a short top level, no prose
 * that counts the images, two stacks of one registry that agree where it is.
 * What broke them when they came is in known-violations.json, which may only shrink: what is gone from the tree has to
 * go from there too (`--prune` does it), and nothing is ever added.
 * Usage: npm run check:house [-- --prune]
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { importViolations } from "./imports.ts";
import { nameViolations, topLevelViolations } from "./names.ts";
import { countViolations } from "./prose.ts";
import { oneTimeViolations } from "./one-time.ts";
import { stackViolations } from "./stacks.ts";
import { unusedViolations } from "./unused.ts";

const root = path.resolve(import.meta.dirname, "../..");
const list = path.join(import.meta.dirname, "known-violations.json");

const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");
const [imports, unused] = await Promise.all([importViolations(root), unusedViolations(root)]);
const found = [
  ...imports,
  ...unused,
  ...nameViolations(files),
  ...topLevelViolations(files),
  ...countViolations(root, files),
  ...stackViolations(root, files),
  ...oneTimeViolations(root, files),
];
const known = JSON.parse(readFileSync(list, "utf8")) as string[];

const fresh = found.filter((violation) => !known.includes(violation));
const gone = known.filter((violation) => !found.includes(violation));
if (process.argv.includes("--prune") && gone.length > 0) {
  const left = known.filter((violation) => found.includes(violation));
  writeFileSync(list, `${JSON.stringify(left, null, 2)}\n`);
  gone.length = 0;
}
if (fresh.length > 0) {
  console.error(`Rules of the house (docs/CONTRIBUTING.md) are broken:\n${lines(fresh)}`);
  process.exitCode = 1;
}
if (gone.length > 0) {
  console.error(
    `No longer broken, and still in scripts/checks/known-violations.json:\n${lines(gone)}Fix it: npm run check:house -- --prune`,
  );
  process.exitCode = 1;
}

function lines(violations: readonly string[]): string {
  return violations.map((violation) => `  ${violation}\n`).join("");
}

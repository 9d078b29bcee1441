/**
 * Checks the rules of the house: who may import whom, nothing unused, one form of file names, a short top level, no prose
 * that counts the images, two stacks of one registry that agree where it is.
 * Usage: npm run check:house
 */
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { importViolations } from "./imports.ts";
import { nameViolations, topLevelViolations } from "./names.ts";
import { countViolations } from "./prose.ts";
import { oneTimeViolations } from "./one-time.ts";
import { stackViolations } from "./stacks.ts";
import { unusedViolations } from "./unused.ts";

const root = path.resolve(import.meta.dirname, "../..");

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

if (found.length > 0) {
  const lines = found.map((violation) => `  ${violation}\n`).join("");
  console.error(`Rules of the house (docs/CONTRIBUTING.md) are broken:\n${lines}`);
  process.exitCode = 1;
}

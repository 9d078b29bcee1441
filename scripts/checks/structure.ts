/**
 * Checks imports, names, the length of the top level and the settings of the stacks.
 * Usage: npm run check:structure
 */
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { importViolations } from "./imports.ts";
import { nameViolations, topLevelViolations } from "./names.ts";
import { namespaceViolations } from "./namespace.ts";
import { stackViolations } from "./stacks.ts";

const root = path.resolve(import.meta.dirname, "../..");

const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");
const found = [
  ...(await importViolations(root)),
  ...nameViolations(files),
  ...namespaceViolations(root, files),
  ...topLevelViolations(files),
  ...stackViolations(root, files),
];

if (found.length > 0) {
  const lines = found.map((violation) => `  ${violation}\n`).join("");
  console.error(`These rules are broken (docs/CONTRIBUTING.md):\n${lines}`);
  process.exitCode = 1;
}

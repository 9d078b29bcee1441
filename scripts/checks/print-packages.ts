/**
 * Prints every package with its version and licence, in Markdown. With `--check`, checks versions, lockfile and licences
 * instead.
 * Usage: npm run licenses
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { type Lockfile, type Manifest, packageProblems, packagesOf } from "./packages.ts";

const root = path.join(import.meta.dirname, "../..");
const read = (name: string): unknown => JSON.parse(readFileSync(path.join(root, name), "utf8"));

const lockfile = read("package-lock.json") as Lockfile;
if (process.argv.includes("--check")) {
  const { dependencies, devDependencies, workspaces = [] } = read("package.json") as Manifest;
  const inner = workspaces.map((folder) => read(`${folder}/package.json`) as Manifest);
  const problems = [{ dependencies, devDependencies }, ...inner].flatMap((manifest, index) =>
    packageProblems(manifest, index === 0 ? lockfile : { packages: {} }),
  );
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
} else {
  console.log("| package | version | licence | needed for |\n| --- | --- | --- | --- |");
  for (const { name, version, license, dev } of packagesOf(lockfile))
    console.log(`| ${name} | ${version} | ${license} | ${dev ? "development" : "the stack"} |`);
}

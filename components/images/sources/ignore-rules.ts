import dockerignore from "@balena/dockerignore";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";

/** The rules of an ignore file. */
export interface IgnoreRules {
  /** Path of the ignore file; undefined without one. */
  file?: string;
  /** Text of the ignore file; empty without one. */
  text: string;
  /** @param path relative to the context, with `/` between its names. */
  ignores(path: string): boolean;
  /** Whether a rule can include files of an ignored folder again. */
  takesBack: boolean;
}

/**
 * Finds the ignore file of a build, in BuildKit's order: `Dockerfile.dockerignore` beside the Dockerfile, then
 * `.dockerignore` in the context.
 */
export function ignoreFile(context: string, dockerfile: string): string | undefined {
  return [`${dockerfile}.dockerignore`, path.join(context, ".dockerignore")].find((file) => existsSync(file));
}

/**
 * Reads the ignore file of a build.
 * @throws if the file cannot be read.
 */
export function readIgnoreRules(context: string, dockerfile: string): IgnoreRules {
  const file = ignoreFile(context, dockerfile);
  const text = file === undefined ? "" : readFileSync(file, "utf8");
  const rules = dockerignore.default({ ignorecase: false }).add(text);
  return {
    ...(file !== undefined && { file }),
    text,
    ignores: (one) => rules.ignores(one),
    takesBack: /^\s*!/m.test(text),
  };
}

import dockerignore from "@balena/dockerignore";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";

/** What a build does not see of its context. */
export interface IgnoreRules {
  /** The ignore file; undefined where there is none. */
  file?: string;
  /** Its text; empty where there is none. */
  text: string;
  /** @param path relative to the context, with `/` between its names. */
  ignores(path: string): boolean;
  /** Whether a folder that is ignored may hold files that a later rule takes back. */
  takesBack: boolean;
}

/**
 * The ignore file of a build: `Dockerfile.dockerignore` beside the Dockerfile, else `.dockerignore` in the context, which
 * is BuildKit's order.
 */
export function ignoreFile(context: string, dockerfile: string): string | undefined {
  return [`${dockerfile}.dockerignore`, path.join(context, ".dockerignore")].find((file) => existsSync(file));
}

/**
 * The rules of a build's ignore file.
 * @throws when the file cannot be read.
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

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ensureKeys } from "../../lib/keys.ts";
import { sandboxPaths } from "../../lib/paths.ts";
import { githubKeys } from "../support/github-issuer.ts";

const FILES = ["key", "certificate", "certificateBundle", "passphrase", "githubKey"] as const;

/** The contents of FILES. */
let made: Promise<string[]> | undefined;

/** Writes a sandbox's keys. All tests of a process get the same ones, because making RSA keys takes time. */
export async function writeTestKeys(sandboxDir: string): Promise<void> {
  const paths = sandboxPaths(sandboxDir);
  made ??= makeKeys(sandboxDir);
  const texts = await made;
  for (const [index, file] of FILES.entries()) {
    mkdirSync(dirname(paths[file]), { recursive: true, mode: 0o700 });
    writeFileSync(paths[file], texts[index] ?? "", { mode: 0o600 });
  }
}

async function makeKeys(sandboxDir: string): Promise<string[]> {
  const paths = sandboxPaths(sandboxDir);
  await ensureKeys(paths);
  // Creates its key.
  await githubKeys(sandboxDir);
  return FILES.map((file) => readFileSync(paths[file], "utf8"));
}

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { ensureKeys } from "../../lib/keys.ts";
import { sandboxPaths } from "../../lib/paths.ts";

const FILES = ["key", "certificate", "certificateBundle", "passphrase"] as const;

/** The contents of FILES, once made. */
let made: Promise<string[]> | undefined;

/** Writes the keys of a sandbox. All tests of a process get the same ones, because making an RSA key takes time. */
export async function writeTestKeys(sandboxDir: string): Promise<void> {
  const paths = sandboxPaths(sandboxDir);
  made ??= ensureKeys(paths).then(() => FILES.map((file) => readFileSync(paths[file], "utf8")));
  const texts = await made;
  mkdirSync(paths.keys, { recursive: true, mode: 0o700 });
  for (const [index, file] of FILES.entries())
    writeFileSync(paths[file], texts[index] ?? "", { mode: 0o600 });
}

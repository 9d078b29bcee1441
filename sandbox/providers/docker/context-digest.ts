import { createHash } from "node:crypto";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type IgnoreRules, readIgnoreRules } from "../../../components/images/sources/ignore-rules.ts";

const chunkBytes = 1024 * 1024;

/**
 * Hashes everything that a build reads: the Dockerfile, the ignore file, and paths, modes, link targets and contents of the
 * files in the context that are not ignored. Times, owners and the order of files do not matter.
 *
 * @returns 64 hexadecimal digits.
 * @throws if a file cannot be read.
 */
export async function contextDigest(context: string, dockerfile: string): Promise<string> {
  const ignore = readIgnoreRules(context, dockerfile);
  const sum = createHash("sha256");
  sum.update(`dockerfile ${await fileHash(dockerfile)}\n`);
  sum.update(`ignore ${createHash("sha256").update(ignore.text).digest("hex")}\n`);
  for (const file of await listFiles(context, ignore)) sum.update(await line(context, file));
  return sum.digest("hex");
}

/** Paths relative to the context, sorted by bytes. */
async function listFiles(context: string, rules: IgnoreRules): Promise<string[]> {
  const files: Buffer[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(context, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const ignored = rules.ignores(path);
      if (entry.isDirectory()) {
        if (!ignored || rules.takesBack) await walk(path);
      } else if (!ignored) files.push(Buffer.from(path));
    }
  };
  await walk("");
  return files.sort((one, other) => Buffer.compare(one, other)).map(String);
}

async function line(context: string, path: string): Promise<string> {
  const file = join(context, path);
  const found = await lstat(file);
  const mode = (found.mode & 0o7777).toString(8);
  // JSON escapes line breaks in file names.
  const name = JSON.stringify(path);
  if (found.isSymbolicLink()) return `link ${name} ${JSON.stringify(await readlink(file))}\n`;
  // Sockets and pipes are not sent to the builder, and reading one would block.
  if (!found.isFile()) return `other ${name} ${mode}\n`;
  return `file ${name} ${mode} ${await fileHash(file)}\n`;
}

/** With one buffer, because a stream leaves as much garbage as the file is large. */
async function fileHash(file: string): Promise<string> {
  const sum = createHash("sha256");
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.allocUnsafe(Math.min(size + 1, chunkBytes));
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return sum.digest("hex");
      sum.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

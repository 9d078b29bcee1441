import { createHash } from "node:crypto";
import { type FileHandle, lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type IgnoreRules, readIgnoreRules } from "../../../components/images/ignore-rules.ts";

/** Files that are hashed at one time. */
const parallel = 8;
const chunkBytes = 1024 * 1024;

/**
 * The hash of everything that a build can see: the Dockerfile, the ignore file, and the paths, modes,
 * link targets and contents of the files in the context that are not ignored. The order in which the
 * file system lists them does not matter, nor do times and owners. Contents are streamed.
 *
 * @returns 64 hexadecimal digits
 * @throws when a file cannot be read
 */
export async function contextDigest(context: string, dockerfile: string): Promise<string> {
  const ignore = readIgnoreRules(context, dockerfile);
  const files = await listFiles(context, ignore);
  const lines = new Array<string>(files.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    // Each takes the next file until none is left.
    for (let index = next++; index < files.length; index = next++)
      lines[index] = await line(context, files[index] ?? "");
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const sum = createHash("sha256");
  sum.update(`dockerfile ${await fileHash(dockerfile)}\n`);
  sum.update(`ignore ${createHash("sha256").update(ignore.text).digest("hex")}\n`);
  for (const one of lines) sum.update(one);
  return sum.digest("hex");
}

/** Paths relative to the context, sorted by their bytes. */
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
  // JSON, so that no file name can look like the end of one line and the start of another.
  const name = JSON.stringify(path);
  if (found.isSymbolicLink()) return `link ${name} ${JSON.stringify(await readlink(file))}\n`;
  // Sockets and pipes are never sent to the builder; to read one would wait for ever.
  if (!found.isFile()) return `other ${name} ${mode}\n`;
  return `file ${name} ${mode} ${await fileHash(file)}\n`;
}

async function fileHash(file: string): Promise<string> {
  const sum = createHash("sha256");
  const handle: FileHandle = await open(file);
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

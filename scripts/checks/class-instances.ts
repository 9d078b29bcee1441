import { readFileSync } from "node:fs";
import * as path from "node:path";
import { execa } from "execa";
import { z } from "zod";

/** A message of `tsgolint headless`: its length, its kind, then this as JSON; taken from oxlint-tsgolint 7.0.2008. */
const report = z.object({
  file_path: z.string(),
  range: z.object({ pos: z.number() }),
  message: z.object({ description: z.string() }),
});
const HEADER = 5;

/**
 * Values that stand for an instance of a class, but that its constructor did not create;
 * `class instance: FILE:LINE: MESSAGE`, sorted.
 *
 * It is a rule of typescript-eslint that oxlint 1.94 cannot turn on, although its tsgolint has it. Once oxlint can, this
 * file becomes a line of .oxlintrc.jsonc.
 */
export async function classInstanceViolations(folder: string, files: readonly string[]): Promise<string[]> {
  const file_paths = files.filter((file) => file.endsWith(".ts")).map((file) => path.join(folder, file));
  const rules = [{ name: "no-unsafe-class-instance-assignment" }];
  const { stdout } = await execa("tsgolint", ["headless"], {
    cwd: folder,
    preferLocal: true,
    localDir: import.meta.dirname,
    input: JSON.stringify({ version: 2, configs: [{ file_paths, rules }] }),
    encoding: "buffer",
  });
  const output = Buffer.from(stdout);
  const found: string[] = [];
  for (let start = 0, end; start < output.length; start = end) {
    end = start + HEADER + output.readUInt32LE(start);
    const text = output.toString("utf8", start + HEADER, end);
    const { success, data } = report.safeParse(JSON.parse(text));
    if (!success) throw new Error(`tsgolint printed: ${text}`);
    const before = readFileSync(data.file_path).toString("utf8", 0, data.range.pos);
    const place = `${path.relative(folder, data.file_path)}:${before.split("\n").length}`;
    found.push(`class instance: ${place}: ${data.message.description}`);
  }
  return found.sort();
}

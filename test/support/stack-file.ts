import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Document, parseDocument, Scalar } from "yaml";
import { settingKey } from "../../problems/setting-commands.ts";

/**
 * Changes the settings of a stack in its file. The CLI would take a fifth of a second of CPU time for each change.
 *
 * @param project the default folder.
 * @param args options of `pulumi config` that name another stack or folder.
 */
export async function changeSettings(
  project: string,
  args: readonly string[],
  change: (document: Document) => void,
): Promise<void> {
  const options = {
    stack: { type: "string", default: "sandbox" },
    cwd: { type: "string", default: project },
  } as const;
  const { stack, cwd } = parseArgs({ args: [...args], options }).values;
  const file = join(cwd, `Pulumi.${stack}.yaml`);
  const document = parseDocument(await readFile(file, "utf8"));
  change(document);
  await writeFile(file, document.toString({ lineWidth: 0 }));
}

/** The place of a setting in a stack's file. A name can be a path: `readers[0]`, `labels.team`. */
export function placeOf(name: string): (string | number)[] {
  const [first = "", ...below] = name.split(/\.|(?=\[)/);
  const key = first.includes(":") ? first : settingKey(first);
  return ["config", key, ...below.map((part) => (part.startsWith("[") ? Number(part.slice(1, -1)) : part))];
}

/** A quoted text. The engine would read an unquoted date as a time. */
export function quoted(value: string): Scalar {
  const scalar = new Scalar(value);
  scalar.type = "QUOTE_DOUBLE";
  return scalar;
}

import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseDocument } from "yaml";
import { SandboxError } from "./errors.ts";
import { readText, writeWhole } from "./files.ts";
import { mergeSettings } from "./merge-settings.ts";
import { repositoryRoot, type SandboxPaths } from "./paths.ts";

const PROJECT = "Pulumi.yaml";
const STACK_FILE = /^Pulumi\.[\w.-]+\.yaml$/;

/** Copies the Pulumi project into the sandbox, so that `pulumi config set` changes no tracked file. */
export async function ensureProject(paths: SandboxPaths, source: string = repositoryRoot): Promise<void> {
  const tracked = readText(join(source, PROJECT));
  if (tracked === undefined) throw new SandboxError(`${join(source, PROJECT)} is missing`);
  await writeWhole(join(paths.project, PROJECT), projectCopy(tracked, paths.project, source));
  const stacks = (await readdir(source)).filter((name) => STACK_FILE.test(name));
  for (const name of stacks) await copySettings(paths, source, name);
}

async function copySettings(paths: SandboxPaths, source: string, name: string): Promise<void> {
  const copy = join(paths.project, name);
  // The tracked file at the time of the copy, to detect changes in the sandbox.
  const baseFile = join(paths.project, ".copied", name);
  const tracked = readText(join(source, name)) ?? "";
  const mine = readText(copy);
  const base = readText(baseFile) ?? "";
  await writeWhole(copy, mine === undefined ? tracked : mergeSettings(base, tracked, mine));
  await writeWhole(baseFile, tracked);
}

/** The project file in `folder` for the program in `source`. */
export function projectCopy(tracked: string, folder: string, source: string): string {
  const document = parseDocument(tracked);
  const program = join(source, String(document.get("main")));
  const path = relative(folder, program);
  // A long relative path is hard to read.
  document.set("main", path.startsWith("../../../") ? program : path);
  return document.toString({ lineWidth: 0 });
}

import { readFileSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { repositoryRoot } from "../../../sandbox/lib/paths.ts";
import { checkOf } from "../../support/documents.ts";
import type { Sandbox } from "../../support/sandbox.ts";

export type Chapter = "Pull and run Hyperion" | "Run Pulumi" | "Continuous integration";

/** The text of docs/TROUBLESHOOTING.md. */
export const document = readFileSync(join(repositoryRoot, "docs/TROUBLESHOOTING.md"), "utf8");

/** The sections of a heading level, by heading. */
export function partsOf(text: string, level: 2 | 3): Map<string, string> {
  const parts = text.split(new RegExp(`^${"#".repeat(level)} (.+)$`, "m")).slice(1);
  const headings = parts.filter((_, index) => index % 2 === 0);
  return new Map(headings.map((heading, index) => [heading, parts[index * 2 + 1] ?? ""]));
}

/** The entries of a chapter, by heading. */
export function entriesOf(chapter: Chapter): Map<string, string> {
  return partsOf(partsOf(document, 2).get(chapter) ?? "", 3);
}

/** The messages that an entry is about, line by line: its blocks of text. Docker engines have different words. */
export function messagesOf(entry: string): string[][] {
  const blocks = [...entry.matchAll(/^```text\n([^]+?)\n```$/gm)];
  return blocks.map(([, text = ""]) => text.split("\n").map((line) => line.trim()));
}

/** The commands of an entry's fix, if its document assigns them to this test. */
export function fixOf(entry: string, test: string): string | undefined {
  const [, mark, commands = ""] = /^<!-- (.+) -->\n\n```(?:ba)?sh\n([^]+?)^```$/m.exec(entry) ?? [];
  const check = checkOf({ mark, commands });
  return check?.kind === "elsewhere" && check.file === test ? check.commands : undefined;
}

/** Expects each line of one of the entry's messages in the output; `…` matches anything within a line. */
export function expectMessage(entry: string, output: string): void {
  const patterns = messagesOf(entry).map((lines) =>
    lines.map((line) => line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("…", ".*")),
  );
  const shown = patterns.find((lines) => lines.every((line) => new RegExp(line).test(output)));
  for (const line of shown ?? patterns[0] ?? [entry]) expect(output).toMatch(new RegExp(line));
}

/** Creates a folder for DOCKER_CONFIG. */
export async function dockerConfig({ scratch }: Sandbox, config: object): Promise<string> {
  const folder = await mkdtemp(join(scratch, "docker-config-"));
  await writeFile(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
  return folder;
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import MarkdownIt from "markdown-it";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";

/** A block of commands in a document. */
export interface CommandBlock {
  /** The line of the opening fence: `docs/ACCESS.md:12`. */
  where: string;
  commands: string;
  /** The comment before it: `<!-- run -->`. See {@link checkOf}. */
  mark: string | undefined;
}

export interface Document {
  /** Relative to the project. */
  file: string;
  blocks: CommandBlock[];
  links: string[];
  headings: string[];
}

const FILES = [
  "README.md",
  "SECURITY.md",
  "sandbox/README.md",
  ...readdirSync(join(repositoryRoot, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

export function documents(): Document[] {
  return FILES.map(readDocument);
}

function readDocument(file: string): Document {
  const tokens = new MarkdownIt({ html: true }).parse(readFileSync(join(repositoryRoot, file), "utf8"), {});
  return {
    file,
    blocks: tokens.flatMap((token, index) =>
      token.type === "fence" && ["bash", "sh"].includes(token.info.trim())
        ? [
            {
              where: `${file}:${(token.map?.[0] ?? 0) + 1}`,
              commands: token.content,
              mark: /^<!-- ([^]*) -->$/.exec(tokens[index - 1]?.content.trim() ?? "")?.[1],
            },
          ]
        : [],
    ),
    links: tokens
      .flatMap(({ children }) => children ?? [])
      .flatMap((child) => child.attrGet("href") ?? child.attrGet("src") ?? [])
      .map(String),
    headings: tokens.flatMap((token, index) =>
      token.type === "heading_open" ? [textOf(tokens[index + 1]?.children ?? [])] : [],
    ),
  };
}

function textOf(children: { type: string; content: string }[]): string {
  return children.map(({ content }) => content).join("");
}

/** How a block is checked. */
export type Check =
  /** Run in a shell that uses the sandbox. */
  | { kind: "run"; commands: string }
  /** Run by another test, which can take the commands from here, or by a script of CI. */
  | { kind: "elsewhere"; file: string; commands: string }
  /** Not run. */
  | { kind: "none" };

/**
 * Parses a mark:
 *
 * | mark | the block |
 * | --- | --- |
 * | `run` | runs unchanged |
 * | `run by FILE` | runs in that test |
 * | `needs WHAT, runs as: COMMANDS` | runs as these commands in the sandbox, separated by `; ` |
 * | `needs WHAT, runs in FILE as: COMMANDS` | runs in that test as these commands |
 * | `needs WHAT, and has no form in the sandbox` | does not run; a reason may follow |
 *
 * @returns undefined for an unknown mark.
 */
export function checkOf({ mark = "", commands }: Pick<CommandBlock, "mark" | "commands">): Check | undefined {
  if (mark === "run") return { kind: "run", commands };
  const file = /^run by (\S+)$/.exec(mark)?.[1];
  if (file !== undefined) return { kind: "elsewhere", file, commands };
  const [, test, form] = /^needs .+?, runs(?: in (\S+))? as: ([^]+)$/.exec(mark) ?? [];
  if (form !== undefined) {
    const inSandbox = form.replaceAll("; ", "\n");
    return test === undefined
      ? { kind: "run", commands: inSandbox }
      : { kind: "elsewhere", file: test, commands: inSandbox };
  }
  return /^needs .+, and has no form in the sandbox/.test(mark) ? { kind: "none" } : undefined;
}

/**
 * Generates the tables in the documents from code and data. With `--check`, only compares them.
 * Usage: npm run docs:tables
 */
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { format } from "prettier";
import ts from "typescript";
import { parse } from "yaml";
import { costChart, costRows, costsOverTime } from "../cost/table.ts";
import { isWorkingTag, type Release, TAG_ROWS } from "../../components/images/tags/names.ts";
import { setTags } from "../../components/images/tags/set-tags.ts";
import { TagCopy } from "../../components/images/tags/store.ts";
import permissions from "../../docs/permissions.json" with { type: "json" };

/** A generated part of a document. */
interface Part {
  document: string;
  /** The file to edit in place of the part. */
  source: string;
  text: () => string | Promise<string>;
}

const root = path.join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

/** By the name in the markers. A new part needs an entry here and a pair of markers in its document. */
const PARTS: Readonly<Record<string, Part>> = {
  "table settings": {
    document: "docs/SETTINGS.md",
    source: "Pulumi.yaml",
    text: () => table(["setting", "type", "default", "what it does"], settingRows()),
  },
  "table outputs": {
    document: "docs/SETTINGS.md",
    source: "index.ts",
    text: () => table(["output", "what it is"], outputRows()),
  },
  "table cost": {
    document: "docs/COST.md",
    source: "scripts/cost/model.ts",
    text: () =>
      table(
        ["builds are kept", "after a year", "after two", "after five", "over $5 a month"],
        costRows(costs()),
      ),
  },
  "chart cost-over-time": {
    document: "docs/COST.md",
    source: "scripts/cost/model.ts",
    text: () => costChart(costs()),
  },
  "table tags": {
    document: "docs/COMPOSE.md",
    source: "components/images/tags/names.ts",
    text: () =>
      table(
        ["`HYPERION_TAG`", "is", "moves?"],
        TAG_ROWS.map(({ tag, is, moves }) => [code(tag), is, moves]),
      ),
  },
  "table releases": {
    document: "docs/RELEASING.md",
    source: "components/images/tags/set-tags.ts",
    text: async () => table(["settings", "already published", "tags"], await releaseRows()),
  },
  "table permissions": {
    document: "docs/ACCESS.md",
    source: "docs/permissions.json",
    text: () =>
      table(
        ["who", "on", "predefined roles"],
        permissions.flatMap(({ who, role, grants }) =>
          grants.map(({ on, predefined }) => [
            who,
            on,
            predefined.map(code).join(", ") ||
              `none; ${code("npm run bootstrap")} grants the custom role ${code(role)}`,
          ]),
        ),
      ),
  },
};

let simulated: ReturnType<typeof costsOverTime> | undefined;

/** The cost with the default settings, cached: the simulation is slow. */
function costs(): ReturnType<typeof costsOverTime> {
  const value = (name: string): number => Number(declared()[name]?.default);
  simulated ??= costsOverTime(
    {
      cleanupUntaggedAfterDays: value("cleanupUntaggedAfterDays"),
      cleanupKeepCount: value("cleanupKeepCount"),
    },
    value("cleanupBuildsAfterDays"),
  );
  return simulated;
}

interface DeclaredSetting {
  type: string;
  default: unknown;
  description: string;
}

function declared(): Record<string, DeclaredSetting> {
  return (parse(read("Pulumi.yaml")) as { config: Record<string, DeclaredSetting> }).config;
}

function settingRows(): string[][] {
  return Object.entries(declared()).map(([name, { type, default: value, description }]) => {
    const shown = value === "" ? "" : code(typeof value === "string" ? value : JSON.stringify(value));
    return [code(name), type, shown, description];
  });
}

/** The tags for some settings, with and without a published version. */
async function releaseRows(): Promise<string[][]> {
  const revision = "abc123f0".repeat(5);
  const tip = { revision, releaseDate: "2025-01-10" };
  const examples: [settings: Partial<Release>, published?: string][] = [
    [{ version: "1.4.2" }],
    [{ version: "0.3.1" }],
    [{ version: "2.0.0-rc.1" }],
    [{ version: "1.5.0" }, "2.0.0"],
    [{ version: "1.4.1" }, "1.4.2"],
    [{ version: "1.4.2", revision }],
    [{ revision }],
    [tip],
    [{}],
    [{}, "1.4.2"],
  ];
  const builds = new Map([["image", { digest: "sha256:b", platforms: new Map<string, string>() }]]);
  return Promise.all(
    examples.map(async ([release, published]) => {
      const registry = new Map([
        ["image", new Map(published === undefined ? [] : [[published, "sha256:a"]])],
      ]);
      const { after } = await setTags(new TagCopy(registry), { registry, release, builds });
      const set = [...(after.get("image") ?? [])].flatMap(([tag, digest]) =>
        digest === "sha256:b" && !isWorkingTag(tag) ? [code(tag)] : [],
      );
      const named = Object.entries(release).map(([name, value]) =>
        code(`${name}: ${value === revision ? "abc123f…" : String(value)}`),
      );
      return [
        named.join(", ") || "none",
        published === undefined ? "" : code(published),
        set.join(" ") || "none is set",
      ];
    }),
  );
}

/** The outputs of index.ts, with the comment above each. */
function outputRows(): string[][] {
  const file = ts.createSourceFile("index.ts", read("index.ts"), ts.ScriptTarget.Latest, true);
  const rows: string[][] = [];
  const visit = (node: ts.Node, returned: boolean): void => {
    if (returned && ts.isPropertyAssignment(node)) {
      const name = node.name.getText();
      const [comment] = ts.getLeadingCommentRanges(file.text, node.getFullStart()) ?? [];
      if (comment === undefined) throw new Error(`index.ts: the output ${name} has no comment`);
      const text = file.text.slice(comment.pos, comment.end).replaceAll(/^\/\*\*|\*\/$|^\s*\*/gm, "");
      rows.push([code(name), text.trim().replaceAll(/\s+/g, " ")]);
      return;
    }
    node.forEachChild((child) => {
      visit(child, returned || ts.isReturnStatement(node));
    });
  };
  visit(file, false);
  return rows;
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The document with its current parts. */
async function withTables(document: string): Promise<string> {
  let text = read(document);
  for (const [name, part] of Object.entries(PARTS)) {
    if (part.document !== document) continue;
    const begin = `<!-- ${name}: generated from ${part.source} by \`npm run docs:tables\` -->`;
    const end = `<!-- /${name} -->`;
    const [before, rest] = text.split(begin);
    const after = rest?.split(end)[1];
    if (before === undefined || after === undefined)
      throw new Error(`${document} lacks the markers ${begin} and ${end}`);
    text = `${before}${begin}\n\n${await part.text()}\n\n${end}${after}`;
  }
  return format(text, { parser: "markdown", printWidth: 110 });
}

for (const document of new Set(Object.values(PARTS).map((part) => part.document))) {
  const wanted = await withTables(document);
  if (wanted === read(document)) continue;
  if (process.argv.includes("--check")) {
    console.error(`${document}: a table differs from its source. Fix it: npm run docs:tables`);
    process.exitCode = 1;
  } else writeFileSync(path.join(root, document), wanted);
}

/**
 * Writes the table of settings in docs/SETTINGS.md from Pulumi.yaml; with `--check` it only compares.
 * Usage: npm run docs:settings
 */
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { format } from "prettier";
import { parse } from "yaml";

interface DeclaredSetting {
  type: string;
  default: unknown;
  description: string;
}

const BEGIN = "<!-- settings: generated from Pulumi.yaml by `npm run docs:settings` -->";
const END = "<!-- /settings -->";

const root = path.join(import.meta.dirname, "../..");
const document = path.join(root, "docs/SETTINGS.md");

function table(): string {
  const project = parse(readFileSync(path.join(root, "Pulumi.yaml"), "utf8")) as {
    config: Record<string, DeclaredSetting>;
  };
  const rows = Object.entries(project.config).map(([name, { type, default: value, description }]) => {
    const shown = value === "" ? "" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
    return `| \`${name}\` | ${type} | ${shown} | ${description.replaceAll("|", "\\|")} |`;
  });
  return ["| setting | type | default | what it does |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

async function main(): Promise<void> {
  const text = readFileSync(document, "utf8");
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`${document} lacks the markers ${BEGIN} and ${END}`);
  const wanted = await format(`${before}${BEGIN}\n\n${table()}\n\n${END}${after}`, {
    parser: "markdown",
    printWidth: 110,
  });
  if (wanted === text) return;
  if (process.argv.includes("--check")) {
    console.error(
      "docs/SETTINGS.md: the table of settings is not the one of Pulumi.yaml. Fix it: npm run docs:settings",
    );
    process.exitCode = 1;
    return;
  }
  writeFileSync(document, wanted);
}

void main();

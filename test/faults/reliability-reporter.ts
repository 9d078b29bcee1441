import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";

const DOCUMENT = join(repositoryRoot, "docs/RELIABILITY.md");

/**
 * Ties docs/RELIABILITY.md to the run. `vitest --update` writes the table of each group of faults that ran whole and
 * passed; else a run fails where a fault has no row.
 */
export default class ReliabilityReporter implements Reporter {
  private vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.vitest = vitest;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const ran = tests.filter((test) => test.result().state !== "skipped");
    let document = readFileSync(DOCUMENT, "utf8");
    const update = this.vitest?.config.snapshotOptions.updateSnapshot === "all";
    for (const group of new Set(ran.map(groupOf))) {
      const cases = ran.filter((test) => groupOf(test) === group);
      const failed = cases.some((test) => test.result().state !== "passed");
      const rows = cases.flatMap(row);
      if (rows.length === 0 || failed) continue;
      if (update) document = withTable(document, group, rows);
      else this.complain(document, cases);
    }
    if (!update) return;
    writeFileSync(
      DOCUMENT,
      await format(document, { ...(await resolveConfig(DOCUMENT)), parser: "markdown" }),
    );
  }

  private complain(document: string, cases: TestCase[]): void {
    for (const { name } of cases.filter((test) => !document.includes(`| ${cell(test.name)} `))) {
      this.vitest?.logger.error(
        `docs/RELIABILITY.md has no row "${name}". Write it from a run: npm run docs:reliability`,
      );
      process.exitCode = 1;
    }
  }
}

function groupOf(test: TestCase): string {
  return test.parent.type === "suite" ? test.parent.name : "";
}

function row(test: TestCase): string[] {
  const { survival } = test.meta();
  if (survival === undefined) return [];
  const { happened, seen, next, plugins } = survival;
  return [`| ${[test.name, happened, seen, next, plugins].map(cell).join(" | ")} |`];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", "<br>").trim();
}

/** The document with the table of a group, between the marks that its heading is followed by. */
function withTable(document: string, group: string, rows: string[]): string {
  const table = [
    `<!-- faults: ${group} -->`,
    "",
    "| fault | what happened | what you see | the next command | plugins |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "<!-- /faults -->",
  ].join("\n");
  const begin = document.indexOf(`<!-- faults: ${group} -->`);
  if (begin < 0) return `${document.trimEnd()}\n\n## ${group}\n\n${table}\n`;
  const mark = "<!-- /faults -->";
  return document.slice(0, begin) + table + document.slice(document.indexOf(mark, begin) + mark.length);
}

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Reporter, TestModule, Vitest } from "vitest/node";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { groupedTable, misplaced, rowsWithoutCase, fullTable } from "./rows.ts";

const DOCUMENT = join(repositoryRoot, "docs/RELIABILITY.md");

/** The outcome of every fault of the run; CI keeps the file. */
const RESULTS = join(repositoryRoot, "test/faults/results/reliability.md");

/**
 * Writes the outcome of each fault to a file, and fails if a fault matches no row of docs/RELIABILITY.md. `vitest --update`
 * also writes the table of the document, if every fault ran and passed.
 */
export default class ReliabilityReporter implements Reporter {
  private vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.vitest = vitest;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const cases = tests.flatMap((test) =>
      Object.entries(test.meta().survivals ?? {}).map(([fault, survival]) => ({ fault, ...survival })),
    );
    // A run of other tests.
    if (cases.length === 0) return;
    mkdirSync(dirname(RESULTS), { recursive: true });
    writeFileSync(RESULTS, `${fullTable(cases)}\n`);

    for (const fault of misplaced(cases.map(({ fault }) => fault)))
      this.report(`the fault "${fault}" matches no row, or more than one: edit test/faults/rows.ts`);
    if (this.vitest?.config.snapshotOptions.updateSnapshot !== "all") return;
    const failed = tests.filter((test) => test.result().state === "failed").map(({ name }) => name);
    const missing = [...failed, ...rowsWithoutCase(cases.map(({ fault }) => fault))];
    if (missing.length > 0)
      this.report(`docs/RELIABILITY.md is not written. Failed or missing: ${missing.join("; ")}`);
    else await writeDocument(groupedTable(cases));
  }

  private report(what: string): void {
    this.vitest?.logger.error(what);
    process.exitCode = 1;
  }
}

async function writeDocument(table: string): Promise<void> {
  const document = readFileSync(DOCUMENT, "utf8").replace(
    /<!-- faults -->[^]*<!-- \/faults -->/,
    () => `<!-- faults -->\n\n${table}\n\n<!-- /faults -->`,
  );
  const { format, resolveConfig } = await import("prettier");
  const options = { ...(await resolveConfig(DOCUMENT)), parser: "markdown" };
  writeFileSync(DOCUMENT, await format(document, options));
}

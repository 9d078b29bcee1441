import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { format, resolveConfig } from "prettier";
import type { Reporter, TestModule, Vitest } from "vitest/node";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { groupedTable, misplaced, notProvoked, wholeTable } from "./rows.ts";

const DOCUMENT = join(repositoryRoot, "docs/RELIABILITY.md");

/** Every fault of the run with all that came of it; CI keeps it. */
const RESULTS = join(repositoryRoot, "test/faults/results/reliability.md");

/**
 * Ties docs/RELIABILITY.md to the run: writes what came of each fault into a file, and fails where a fault belongs to no
 * row of the document. `vitest --update` writes the document's table, from a run of all faults that passed.
 */
export default class ReliabilityReporter implements Reporter {
  private vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.vitest = vitest;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const cases = tests.flatMap((test) => {
      const { survival } = test.meta();
      return survival === undefined ? [] : [{ fault: test.name, ...survival }];
    });
    mkdirSync(dirname(RESULTS), { recursive: true });
    writeFileSync(RESULTS, `${wholeTable(cases)}\n`);

    for (const fault of misplaced(cases.map(({ fault }) => fault)))
      this.complain(
        `the fault "${fault}" belongs to no row or to several: sort it in in test/faults/rows.ts`,
      );
    if (this.vitest?.config.snapshotOptions.updateSnapshot !== "all") return;
    const failed = tests.filter((test) => test.result().state === "failed").map(({ name }) => name);
    const missing = [...failed, ...notProvoked(cases.map(({ fault }) => fault))];
    if (missing.length > 0)
      this.complain(`docs/RELIABILITY.md is not written, for want of: ${missing.join("; ")}`);
    else await writeDocument(groupedTable(cases));
  }

  private complain(what: string): void {
    this.vitest?.logger.error(what);
    process.exitCode = 1;
  }
}

async function writeDocument(table: string): Promise<void> {
  const document = readFileSync(DOCUMENT, "utf8").replace(
    /<!-- faults -->[^]*<!-- \/faults -->/,
    () => `<!-- faults -->\n\n${table}\n\n<!-- /faults -->`,
  );
  const options = { ...(await resolveConfig(DOCUMENT)), parser: "markdown" };
  writeFileSync(DOCUMENT, await format(document, options));
}

import type { Reporter, TestModule } from "vitest/node";

const SHOWN = 10;

/** Prints the slowest tests and files at the end of a run. */
export default class SlowestReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module) => ({
      name: module.relativeModuleId,
      milliseconds: module.diagnostic().duration,
    }));
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({
        name: `${module.relativeModuleId} > ${test.fullName}`,
        milliseconds: test.diagnostic()?.duration ?? 0,
      })),
    );
    console.log(`\nSlowest files\n${slowest(files)}\n\nSlowest tests\n${slowest(tests)}`);
  }
}

function slowest(timed: readonly { name: string; milliseconds: number }[]): string {
  return [...timed]
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .slice(0, SHOWN)
    .map(({ name, milliseconds }) => `${(milliseconds / 1000).toFixed(1).padStart(7)} s  ${name}`)
    .join("\n");
}

import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { findUserEngine } from "./sandbox/services/user-engine.ts";
import LongestFirst from "./test/support/longest-first.ts";

/** After every test that uses a sandbox: no secret in the clear. */
const setupFiles = ["test/support/secrets/setup.ts"];

const cores = availableParallelism();

/**
 * One waits while others compute. Each file has a sandbox to itself meanwhile; the engine it shares where it is the
 * machine's own.
 */
const atOnce = (await findUserEngine()).usable ? 1 : Math.min(cores + 1, 4);

/** Tests that need an engine; every other test stands beside what it tests. */
const engine = (name: string, groupOrder: number, maxWorkers: number, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    setupFiles,
    sequence: { groupOrder },
    maxWorkers,
    testTimeout,
    hookTimeout: 900_000,
  },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/slowest-reporter.ts", "./test/faults/reliability-reporter.ts"],
    // For every project, so that they share the sandboxes.
    globalSetup: "test/support/global-setup.ts",
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: ["node_modules/**", ".sandbox/**", "test/{features,sandbox,faults,load}/**"],
          setupFiles: ["test/support/restore.ts"],
          maxWorkers: cores,
          // A process for each of these files would take a third of the run's time.
          isolate: false,
          // For a machine that is slow or busy; hardly any takes a second on another.
          testTimeout: 60_000,
        },
      },
      // Each feature once; part of `npm test`.
      engine("features", 1, atOnce, 300_000),
      engine("sandbox", 1, atOnce, 300_000),
      engine("faults", 1, atOnce, 300_000),
      // Measures what the machine does: nothing else meanwhile.
      engine("load", 2, 1, 60_000),
    ],
  },
});

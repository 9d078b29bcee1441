import { defineConfig } from "vitest/config";

/** After every test that uses a sandbox: no secret in the clear. */
const setupFiles = ["test/support/secrets/setup.ts"];

/** Tests that need an engine; every other test stands beside what it tests. */
const engine = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    // One sandbox at a time: each starts an engine, a registry and the emulated APIs of its own.
    fileParallelism: false,
    setupFiles,
    testTimeout,
    hookTimeout: 900_000,
  },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/slowest-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: ["node_modules/**", ".sandbox/**", "test/{sandbox,faults,load}/**"],
        },
      },
      engine("sandbox", 300_000),
      engine("faults", 300_000),
      engine("load", 60_000),
    ],
  },
});

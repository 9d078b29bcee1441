import { defineConfig } from "vitest/config";

/** After every test that uses a sandbox: no secret in the clear. */
const setupFiles = ["test/sandbox/secrets/setup.ts"];

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        // One sandbox at a time: each starts an engine, a registry and the emulated APIs of its own.
        test: {
          name: "sandbox",
          include: ["test/sandbox/**/*.test.ts"],
          fileParallelism: false,
          setupFiles,
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          fileParallelism: false,
          setupFiles,
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          name: "load",
          include: ["test/load/**/*.test.ts"],
          fileParallelism: false,
          setupFiles,
          testTimeout: 60_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});

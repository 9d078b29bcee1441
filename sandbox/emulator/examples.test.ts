import { globSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import { testEmulator, type TestEmulator } from "./testing/emulator.ts";
import { replay } from "./testing/examples.ts";

const FILES = globSync("apis/*/examples/*.json", { cwd: import.meta.dirname });

let emulator: TestEmulator;

beforeEach(async () => {
  emulator = await testEmulator("artifactregistry", "iam");
});

test("recorded examples exist", () => {
  expect(FILES.length).toBeGreaterThan(3);
});

test.each(FILES)("%s: the answers equal Google's", async (file) => {
  await replay(emulator, new URL(file, import.meta.url));
});

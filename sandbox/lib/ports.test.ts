import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claimPorts } from "./ports.ts";

test("claimed ports differ and are not ephemeral", async () => {
  const folders = await Promise.all([1, 2, 3].map(() => mkdtemp(join(tmpdir(), "hyperion-ports-test-"))));
  const claimed: number[] = [];
  for (const folder of folders) claimed.push(...(await claimPorts(folder, 2)));
  expect(new Set(claimed).size).toBe(6);
  expect(claimed.every((port) => port >= 20_000 && port < 32_000)).toBe(true);
  for (const folder of folders) await rm(folder, { recursive: true });
});

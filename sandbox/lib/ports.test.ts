import { dirname } from "node:path";
import { expect, test } from "vitest";
import { useScratch } from "../../test/support/scratch.ts";
import { claimPorts } from "./ports.ts";

const scratch = useScratch();

test("claimed ports differ and are not ephemeral", async () => {
  const folders = ["a", "b", "c"].map((name) => dirname(scratch.write(`${name}/file`)));
  const claimed: number[] = [];
  for (const folder of folders) claimed.push(...(await claimPorts(folder, 2)));
  expect(new Set(claimed).size).toBe(6);
  expect(claimed.every((port) => port >= 20_000 && port < 32_000)).toBe(true);
});

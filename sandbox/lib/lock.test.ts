import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { whileHolding } from "./lock.ts";

test("runs work with the same lock one at a time, also after a failure", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hyp-lock-"));
  const seen: string[] = [];
  const work = async (name: string): Promise<void> => {
    seen.push(`${name} begins`);
    await sleep(20);
    seen.push(`${name} ends`);
    if (name === "one") throw new Error("no luck");
  };
  const hold = (name: string) => whileHolding(join(folder, "lock"), () => work(name));
  const [one, two] = [hold("one"), hold("two")];
  await expect(one).rejects.toThrow("no luck");
  await two;
  expect(seen).toEqual(["one begins", "one ends", "two begins", "two ends"]);
  await rm(folder, { recursive: true });
});

import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { useScratch } from "../../test/support/scratch.ts";
import { whileHolding } from "./lock.ts";

const scratch = useScratch();

test("runs work with the same lock one at a time, also after a failure", async () => {
  const seen: string[] = [];
  const work = async (name: string): Promise<void> => {
    seen.push(`${name} begins`);
    await sleep(20);
    seen.push(`${name} ends`);
    if (name === "one") throw new Error("no luck");
  };
  const hold = (name: string) => whileHolding(scratch.path("lock"), () => work(name));
  const [one, two] = [hold("one"), hold("two")];
  await expect(one).rejects.toThrow("no luck");
  await two;
  expect(seen).toEqual(["one begins", "one ends", "two begins", "two ends"]);
});

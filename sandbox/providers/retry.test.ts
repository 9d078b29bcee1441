import { expect, test } from "vitest";
import { retried } from "./retry.ts";

const signal = new AbortController().signal;

/** Fails so many times by `passing`, then answers; counts the attempts. */
function flaky(failures: number) {
  let attempts = 0;
  const attempt = () =>
    ++attempts <= failures ? Promise.reject(new Error(`passing ${attempts}`)) : Promise.resolve(attempts);
  return attempt;
}

const passes = (error: unknown): boolean => (error as Error).message.startsWith("passing");

test("tries again while the failure passes", async () => {
  expect(await retried(flaky(2), passes, [1, 1, 1], signal)).toBe(3);
});

test("gives up after the last wait, with the last failure", async () => {
  await expect(retried(flaky(9), passes, [1, 1], signal)).rejects.toThrow("passing 3");
});

test("does not try again what does not pass, nor after an abort", async () => {
  await expect(retried(flaky(1), () => false, [1], signal)).rejects.toThrow("passing 1");
  await expect(retried(flaky(1), passes, [1], AbortSignal.abort())).rejects.toThrow("passing 1");
});

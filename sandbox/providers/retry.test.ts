import { expect, test } from "vitest";
import { retry } from "./retry.ts";

const signal = new AbortController().signal;

/** Fails a number of times, then returns the number of attempts. */
function flaky(failures: number) {
  let attempts = 0;
  const attempt = () =>
    ++attempts <= failures ? Promise.reject(new Error(`transient ${attempts}`)) : Promise.resolve(attempts);
  return attempt;
}

const isTransient = (error: unknown): boolean => (error as Error).message.startsWith("transient");

test("retries while the error is transient", async () => {
  expect(await retry(flaky(2), isTransient, [1, 1, 1], signal)).toBe(3);
});

test("fails after the last wait with the last error", async () => {
  await expect(retry(flaky(9), isTransient, [1, 1], signal)).rejects.toThrow("transient 3");
});

test("does not retry another error, nor after an abort", async () => {
  await expect(retry(flaky(1), () => false, [1], signal)).rejects.toThrow("transient 1");
  await expect(retry(flaky(1), isTransient, [1], AbortSignal.abort())).rejects.toThrow("transient 1");
});

import { expect, test } from "vitest";
import { acceleration } from "./growth.ts";

const measured = (value: (images: number) => number) =>
  [3, 12, 25, 50].map((images) => ({ images, value: value(images) }));

test.each([
  ["a line", (n: number) => 4 + n / 10, 1],
  ["nothing", () => 4, 0],
  ["a square", (n: number) => 4 + n * n, 2.68],
  ["what flattens", (n: number) => Math.sqrt(n), 0.56],
])("%s grows ever faster by so much", (_, value, expected) => {
  expect(acceleration(measured(value))).toBeCloseTo(expected, 2);
});

test("what grows only at the end is noise, or has no measure", () => {
  const late = measured((n) => (n === 50 ? 5 : 4));
  expect(acceleration(late, 1)).toBe(0);
  expect(acceleration(late, 0.5)).toBe(Infinity);
});

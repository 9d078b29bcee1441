import { expect, test } from "vitest";
import { acceleration } from "./growth.ts";

const measured = (value: (images: number) => number) =>
  [3, 12, 25, 50].map((images) => ({ images, value: value(images) }));

test.each([
  ["a line", (n: number) => 4 + n / 10, 1],
  ["nothing", () => 4, 0],
  ["a square", (n: number) => 4 + n * n, 2.68],
  ["a flattening curve", (n: number) => Math.sqrt(n), 0.56],
])("the acceleration of %s", (_, value, expected) => {
  expect(acceleration(measured(value))).toBeCloseTo(expected, 2);
});

test("growth at the end alone is noise, or infinite acceleration", () => {
  const late = measured((n) => (n === 50 ? 5 : 4));
  expect(acceleration(late, 1)).toBe(0);
  expect(acceleration(late, 0.5)).toBe(Infinity);
});

import { expect, test } from "vitest";
import { slowest } from "./slowest-reporter.ts";

test("prints the ten slowest in seconds", () => {
  const timed = Array.from({ length: 12 }, (_, index) => ({ name: `t${index}`, milliseconds: index * 1500 }));
  const lines = slowest(timed).split("\n");
  expect(lines).toHaveLength(10);
  expect(lines.slice(0, 2)).toEqual(["   16.5 s  t11", "   15.0 s  t10"]);
});

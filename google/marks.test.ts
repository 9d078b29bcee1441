import { expect, test } from "vitest";
import { declare } from "../test/support/mocks.ts";
import { addMark, readMark } from "./marks.ts";

test("a description names the owning stack", async () => {
  const { result } = await declare(() => addMark("Publishes the images of Hyperion"));
  expect(result).toBe("Publishes the images of Hyperion (Pulumi stack project/stack)");
  expect(readMark(result)).toBe("project/stack");
});

test.each([
  ["an empty description", ""],
  ["a person's description", "Made by hand"],
  ["a mark with text after it", "Images (Pulumi stack a/b), see the wiki"],
  ["other text in parentheses", "Images (by the platform team)"],
])("%s has no mark", (_, description) => {
  expect(readMark(description)).toBeUndefined();
});

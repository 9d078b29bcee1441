import { expect, test } from "vitest";
import { declare } from "../test/support/mocks.ts";
import { marked, markIn } from "./marks.ts";

test("a description says which stack made what it stands at", async () => {
  const { result } = await declare(() => marked("Publishes the images of Hyperion"));
  expect(result).toBe("Publishes the images of Hyperion (Pulumi stack project/stack)");
  expect(markIn(result)).toBe("project/stack");
});

test.each([
  ["none", ""],
  ["a person's own words", "Made by hand"],
  ["a mark that something follows", "Images (Pulumi stack a/b), see the wiki"],
  ["words in parentheses", "Images (by the platform team)"],
])("%s is no mark", (_, description) => {
  expect(markIn(description)).toBeUndefined();
});

import { expect, test } from "vitest";
import { problemsError } from "./problem.ts";

test("reports all problems in one error", () => {
  const error = problemsError([
    { where: "a", found: "1", allowed: "2", fix: "set a 2" },
    { where: "b", found: "3", allowed: "4", fix: "set b 4" },
  ]);
  expect(error.message).toBe(
    "2 problems; nothing was changed.\n\na\n  found:   1\n  allowed: 2\n  fix:     set a 2\n\nb\n  found:   3\n  allowed: 4\n  fix:     set b 4",
  );
});

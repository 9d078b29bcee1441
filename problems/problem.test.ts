import { expect, test } from "vitest";
import { problemsError } from "./problem.ts";

test("all problems are one error, without a stack trace for the SDK to colour", () => {
  const error = problemsError([
    { where: "a", found: "1", allowed: "2", fix: "set a 2" },
    { where: "b", found: "3", allowed: "4", fix: "set b 4" },
  ]);
  expect(error.message).toBe(
    "2 problems; nothing was changed.\n\na\n  found:   1\n  allowed: 2\n  fix:     set a 2\n\nb\n  found:   3\n  allowed: 4\n  fix:     set b 4",
  );
  expect(error.stack).toBeUndefined();
  const { message } = error;
  error.message = `error serializing property "name": ${message}`;
  expect(error.message).toBe(message);
});

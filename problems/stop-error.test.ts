import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { stopError } from "./stop-error.ts";

const serialized = (error: Error) =>
  pulumi.runtime.serializeProperties("image", { name: Promise.reject(error) });

test("keeps its message, unlike other errors in the SDK", async () => {
  await expect(serialized(new Error("no login"))).rejects.toThrow(
    'error serializing property "name": no login',
  );
  const error = stopError("no login");
  await expect(serialized(error)).rejects.toBe(error);
  expect(error.message).toBe("no login");
});

test("has no stack trace, which the SDK hides but colours", () => {
  const error = stopError("no login");
  expect(error.stack).toBeUndefined();
  expect(pulumi.RunError.isInstance(error)).toBe(true);
});

import { expect, test, vi } from "vitest";
import { runCommand } from "../test/support/sandbox.ts";
import { secretKeys } from "./secret-keys.ts";

test("reads the variable in which the SDK finds the secret keys", async () => {
  vi.stubEnv("PULUMI_CONFIG_SECRET_KEYS", '["hyperion-registry:version"]');
  expect(secretKeys()).toEqual(["hyperion-registry:version"]);
  const code = `const { isConfigSecret } = require("@pulumi/pulumi/runtime/config");
    console.log(isConfigSecret("hyperion-registry:version"), isConfigSecret("gcp:project"))`;
  const { stdout } = await runCommand(process.execPath, ["--eval", code], process.env);
  expect(stdout).toBe("true false");
});

test("there are no secret keys without the variable", () => {
  vi.stubEnv("PULUMI_CONFIG_SECRET_KEYS", undefined);
  expect(secretKeys()).toEqual([]);
});

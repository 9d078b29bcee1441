import { z } from "zod";

/**
 * Returns the keys of the settings that are secrets. The engine passes them to the SDK in this variable. The public
 * `pulumi.Config` does not report whether a value is a secret.
 */
export function secretKeys(): string[] {
  return z.array(z.string()).parse(JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]"));
}

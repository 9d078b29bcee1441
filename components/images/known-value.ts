import type * as pulumi from "@pulumi/pulumi";

/** A property of outputs that the SDK's types leave out (@pulumi/pulumi 3.270, output.ts). */
interface OutputInternals {
  isKnown: Promise<boolean>;
}

/**
 * Waits for the value of an output; undefined if only `up` makes it known. The public `apply` never calls back at
 * preview for an unknown value, so it cannot tell an unknown value from a slow one.
 */
export async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  if (!(await (output as unknown as OutputInternals).isKnown)) return undefined;
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}

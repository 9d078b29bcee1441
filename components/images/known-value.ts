import type * as pulumi from "@pulumi/pulumi";

/** What the SDK knows of an output and its types leave out (@pulumi/pulumi 3.270, output.ts). */
interface OutputInternals {
  isKnown: Promise<boolean>;
}

/** The value of an output; undefined if only `up` makes it known. */
export async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  if (!(await (output as unknown as OutputInternals).isKnown)) return undefined;
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}

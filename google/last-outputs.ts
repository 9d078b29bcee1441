import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

/** Outputs of the stack, by name. */
export type Outputs = Readonly<Record<string, unknown>>;

const answer = z.object({ outputs: z.record(z.string(), z.unknown()) });

/**
 * Reads the outputs of this stack's last `up`; empty before the first.
 *
 * Calls the engine's own function, as the engine does for a `StackReference`. The public `StackReference` is a resource
 * that every preview would show.
 */
export async function lastOutputs(): Promise<Outputs> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  return answer.parse(await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name })).outputs;
}

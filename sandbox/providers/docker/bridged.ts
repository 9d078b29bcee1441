import { checkInputs } from "../rpc/check.ts";
import { difference, refreshedInputs } from "../rpc/diff.ts";
import type { Context, Recorded, Resource } from "../rpc/provider.ts";
import type { Shape } from "../rpc/shape.ts";
import type { Properties } from "../rpc/values.ts";

/** A resource type that the real plugin bridges from Terraform: everything but the build. */
export interface Bridged {
  type: string;
  shape: Shape;
  /** What a preview shows for a new one. */
  preview(inputs: Properties): Properties;
  create(inputs: Properties, context: Context): Promise<{ id: string; outputs: Properties }>;
  /** The outputs now, undefined when it is gone. */
  read(old: Recorded, context: Context): Promise<Properties | undefined>;
}

export function bridged(definition: Bridged): Resource {
  const { type, shape } = definition;
  return {
    type,
    check: (news) => checkInputs(shape, news, type, "docker"),
    diff: (old, inputs) => difference(shape, inputs, old.outputs),
    preview: (inputs, old) =>
      old === undefined ? definition.preview(inputs) : { ...old.outputs, ...inputs },
    async create(inputs, context) {
      const { id, outputs } = await definition.create(inputs, context);
      return { id, outputs: { ...outputs, id } };
    },
    async read(id, old, context) {
      if (old === undefined) throw new Error(`resource ${type} doesn't support import`);
      const outputs = await definition.read({ id, ...old }, context);
      if (outputs === undefined) return undefined;
      return { id, outputs: { ...outputs, id }, inputs: refreshedInputs(shape, outputs, old.inputs) };
    },
    update: (old, inputs) => Promise.resolve({ ...old.outputs, ...inputs }),
    // What the stack declares is kept in the registry and in the engine.
    delete: () => Promise.resolve(),
  };
}

import type { Resource } from "../rpc/provider.ts";
import { text, unknownValue } from "../rpc/values.ts";
import { bridged } from "./bridged.ts";
import type { Engine } from "./engine.ts";

/** `docker.Tag`: a second name for an image of the local engine. */
export function tag(engine: () => Engine): Resource {
  return bridged({
    type: "docker:index/tag:Tag",
    shape: {
      sourceImage: { kind: "string", required: true, replaces: true },
      targetImage: { kind: "string", required: true, replaces: true },
      tagTriggers: { kind: "set", replaces: true },
    },
    preview: (inputs) => ({ tagTriggers: null, ...inputs, sourceImageId: unknownValue }),
    async create(inputs, { signal }) {
      const source = text(inputs, "sourceImage");
      const target = text(inputs, "targetImage");
      await engine().tag(source, target, signal);
      const found = await engine().inspect(source, signal);
      return {
        id: `${source}.${target}`,
        outputs: { tagTriggers: null, ...inputs, sourceImageId: text(found, "Id") },
      };
    },
    // As the real plugin: neither looks at the engine.
    read: (old) => Promise.resolve(old.outputs),
  });
}

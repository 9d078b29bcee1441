import { messageOf } from "../../../problems/wording.ts";
import type { Context, Resource } from "../rpc/provider.ts";
import { hasUnknown, type Properties, text, texts, unknownValue } from "../rpc/values.ts";
import { bridged } from "./bridged.ts";
import type { Engine } from "./engine.ts";
import { parseImageName } from "./image-name.ts";
import type { Settings } from "./settings.ts";

/** `docker.RemoteImage`: an image of a registry, in the local engine. */
export function remoteImage(engine: () => Engine, settings: () => Settings): Resource {
  return bridged({
    type: "docker:index/remoteImage:RemoteImage",
    shape: {
      name: { kind: "string", required: true, replaces: true },
      pullTriggers: { kind: "set", replaces: true },
      keepLocally: { kind: "boolean", required: true, only: true },
    },
    preview: (inputs) => outputsOf(inputs, { Id: unknownValue, RepoDigests: [unknownValue] }),
    async create(inputs, { signal }) {
      const name = text(inputs, "name");
      const found = await findOrPull(engine(), settings(), name, signal);
      return { id: text(found, "Id") + name, outputs: outputsOf(inputs, found) };
    },
    async read(old, { signal }) {
      const found = await engine().inspect(text(old.outputs, "name"), signal);
      return found && outputsOf(old.outputs, found);
    },
  });
}

async function findOrPull(
  engine: Engine,
  settings: Settings,
  name: string,
  signal: Context["signal"],
): Promise<Properties> {
  const local = await engine.inspect(name, signal);
  if (local) return local;
  const { host: address } = parseImageName(name);
  const auth = settings.registries.find((one) => one.address === address) ?? {
    address,
    username: "",
    password: "",
  };
  try {
    await engine.pull(name, auth, signal);
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(`Unable to read Docker image into resource: unable to pull image ${name}: ${reason}`, {
      cause: error,
    });
  }
  const pulled = await engine.inspect(name, signal);
  if (pulled) return pulled;
  throw new Error(`unable to find or pull image ${name}`);
}

function outputsOf(known: Properties, found: Properties): Properties {
  const triggers = texts(known, "pullTriggers");
  return {
    build: null,
    forceRemove: null,
    imageId: text(found, "Id"),
    keepLocally: known["keepLocally"] ?? null,
    name: known["name"] ?? "",
    platform: null,
    // A set: the order in which the program names them is not kept.
    pullTriggers: hasUnknown(known["pullTriggers"])
      ? unknownValue
      : triggers.length === 0
        ? null
        : triggers.sort(),
    repoDigest: texts(found, "RepoDigests")[0] ?? "",
    triggers: null,
  };
}

import type { Context, Resource } from "../rpc/provider.ts";
import { flag, type Properties, text, unknownValue } from "../rpc/values.ts";
import { bridged } from "./bridged.ts";
import type { Docker } from "./cli.ts";
import { configuredCredentials, withCredentials } from "./credentials.ts";
import { push } from "./image.ts";
import { parseImageName } from "./image-name.ts";
import { Registry, RegistryError } from "./registry.ts";
import type { RegistryAuth, Settings } from "./settings.ts";

/** `docker.RegistryImage`: a name of the local engine, pushed. */
export function registryImage(docker: () => Docker, settings: () => Settings): Resource {
  const registryFor = async (properties: Properties, context: Context): Promise<Registry> => {
    const { host } = parseImageName(text(properties, "name"));
    const auth = authFor(host, settings());
    const credentials = auth.username === "" ? await configuredCredentials(host, process.env) : auth;
    return new Registry(credentials, flag(properties, "insecureSkipVerify"), context.signal);
  };
  return bridged({
    type: "docker:index/registryImage:RegistryImage",
    shape: {
      name: { kind: "string", required: true, replaces: true },
      triggers: { kind: "map", replaces: true },
      keepRemotely: { kind: "boolean" },
      insecureSkipVerify: { kind: "boolean" },
    },
    preview: (inputs) => outputsOf(inputs, unknownValue),
    async create(inputs, context) {
      const name = text(inputs, "name");
      const image = parseImageName(name);
      await withCredentials(docker(), authFor(image.host, settings()), process.env, (own) =>
        push(own, name, context.signal),
      );
      const digest = await (await registryFor(inputs, context)).digest(image);
      return { id: digest, outputs: outputsOf(inputs, digest) };
    },
    async read(old, context) {
      const name = text(old.outputs, "name");
      const registry = await registryFor(old.outputs, context);
      try {
        return outputsOf(old.outputs, await registry.digest(parseImageName(name)));
      } catch (error) {
        // As the real plugin: whatever the reason, a tag that cannot be read is taken for gone.
        const reason = error instanceof Error ? error.message : String(error);
        context.log("warning", `${name} is taken for gone from the registry: ${reason}`);
        return undefined;
      }
    },
    async delete(old, context) {
      if (flag(old.outputs, "keepRemotely")) return;
      const image = parseImageName(text(old.outputs, "name"));
      const registry = await registryFor(old.outputs, context);
      try {
        await registry.remove({ ...image, reference: text(old.outputs, "sha256Digest") });
      } catch (error) {
        if (!(error instanceof RegistryError && error.status === 404)) throw error;
      }
    },
  });
}

function authFor(host: string, settings: Settings): RegistryAuth {
  const found = settings.registries.find(({ address }) => address === host);
  if (found) return found;
  throw new Error(
    `Unable to get authConfig for registry: no auth config found for registry ${host} ` +
      `(a docker.Provider with registryAuth: [{ address: "${host}" }] provides it)`,
  );
}

function outputsOf(known: Properties, digest: string): Properties {
  return {
    authConfig: null,
    build: null,
    insecureSkipVerify: known["insecureSkipVerify"] ?? false,
    keepRemotely: known["keepRemotely"] ?? false,
    name: known["name"] ?? "",
    sha256Digest: digest,
    triggers: known["triggers"] ?? null,
  };
}

import { messageOf } from "../../../problems/wording.ts";
import type { Context, Resource } from "../rpc/provider.ts";
import { type Properties, text, unknownValue } from "../rpc/values.ts";
import { bridged } from "./bridged.ts";
import type { RegistryAuth } from "./credentials.ts";
import type { Engine } from "./engine.ts";
import { parseImageName } from "./image-name.ts";
import { Registry } from "./registry.ts";
import type { Settings } from "./settings.ts";

/** `docker.RegistryImage`: a name of the local engine, pushed. */
export function registryImage(engine: () => Engine, settings: () => Settings): Resource {
  return bridged({
    type: "docker:index/registryImage:RegistryImage",
    shape: {
      name: { kind: "string", required: true, replaces: true },
      triggers: { kind: "map", replaces: true },
      keepRemotely: { kind: "boolean", required: true, only: true },
    },
    preview: (inputs) => outputsOf(inputs, unknownValue),
    async create(inputs, context) {
      const name = text(inputs, "name");
      const image = parseImageName(name);
      const auth = authFor(image.host, settings());
      logAsTheRealOne(name, auth, context);
      await push(engine(), name, auth, context.signal);
      const digest = await new Registry(auth, context.signal).digest(image);
      return { id: digest, outputs: outputsOf(inputs, digest) };
    },
    async read(old, context) {
      const image = parseImageName(text(old.outputs, "name"));
      try {
        const digest = await new Registry(authFor(image.host, settings()), context.signal).digest(image);
        return outputsOf(old.outputs, digest);
      } catch (error) {
        // As the real plugin: whatever the reason, a tag that cannot be read is taken for gone.
        context.log("debug", `Got error getting registry image digest: ${String(error)}`);
        return undefined;
      }
    },
  });
}

/** The real plugin tells its debug log the login, in plain and in base64: what looks for secrets has to see it here. */
function logAsTheRealOne(
  name: string,
  { address, username, password }: RegistryAuth,
  context: Context,
): void {
  context.log(
    "debug",
    `Using auth config from provider: registry.AuthConfig{Username:"${username}", Password:"${password}", ` +
      `Auth:"", ServerAddress:"https://${address}", IdentityToken:"", RegistryToken:""}`,
  );
  const registryAuth = Buffer.from(JSON.stringify({ username, password })).toString("base64url");
  context.log(
    "debug",
    `Pushing image ${name} with options image.PushOptions{All:false, RegistryAuth:"${registryAuth}"}`,
  );
}

async function push(engine: Engine, name: string, auth: RegistryAuth, signal: AbortSignal): Promise<void> {
  try {
    await engine.push(name, auth, signal);
  } catch (error) {
    throw new Error(`Error pushing docker image: ${messageOf(error)}`, { cause: error });
  }
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
    insecureSkipVerify: false,
    keepRemotely: known["keepRemotely"] ?? false,
    name: known["name"] ?? "",
    sha256Digest: digest,
    triggers: known["triggers"] ?? null,
  };
}

import manifest from "@pulumi/docker/package.json" with { type: "json" };
import { engineListens, pluginAddresses } from "../../../components/images/docker/engine.ts";
import type { Provider } from "../rpc/provider.ts";
import { Docker } from "./cli.ts";
import { image } from "./image.ts";
import { checkSettings, engineHost } from "./settings.ts";

let configured: Docker | undefined;

function docker(): Docker {
  if (configured) return configured;
  throw new Error("the engine did not configure the docker plugin");
}

export const provider: Provider = {
  name: "docker",
  version: manifest.version,
  checkSettings,
  async configure(sent) {
    const address = await findEngine(await engineHost(sent, process.env), process.env);
    configured = new Docker({ ...process.env, DOCKER_HOST: address });
  },
  resources: [image(docker)],
  functions: {},
  endsOnCancel: true,
};

/**
 * Finds the engine as the real plugin does.
 * @param host as in DOCKER_HOST; may be empty.
 * @throws the real plugin's error if no engine answers.
 */
async function findEngine(host: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const addresses = host === "" ? pluginAddresses(environment) : [host];
  for (const address of addresses) if (await engineListens(address)) return address;
  throw new Error(
    "docker native provider returned an unexpected error from Configure: failed to connect to any docker daemon " +
      `(tried ${addresses.join(", ")})`,
  );
}

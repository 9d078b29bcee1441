import { engineListens, pluginAddresses } from "../../../components/images/docker/engine.ts";

/**
 * Finds the engine as the real plugin does.
 * @param host as in DOCKER_HOST; may be empty.
 * @throws the real plugin's error if no engine answers.
 */
export async function findEngine(host: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const addresses = host === "" ? pluginAddresses(environment) : [host];
  for (const address of addresses) if (await engineListens(address)) return address;
  throw new Error(
    "docker native provider returned an unexpected error from Configure: failed to connect to any docker daemon " +
      `(tried ${addresses.join(", ")})`,
  );
}

import { engineListens, pluginAddresses } from "../../../components/images/docker/engine.ts";

/**
 * The engine to work with, found as the real plugin finds it.
 * @param host as in DOCKER_HOST; "" where nothing says which.
 * @throws the real plugin's words when no engine answers
 */
export async function findEngine(host: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const addresses = host === "" ? pluginAddresses(environment) : [host];
  for (const address of addresses) if (await engineListens(address)) return address;
  throw new Error(
    "docker native provider returned an unexpected error from Configure: failed to connect to any docker daemon " +
      `(tried ${addresses.join(", ")})`,
  );
}

import type { Problem } from "../../../problems/problem.ts";
import { shellWord } from "../../../problems/wording.ts";
import {
  commandEngine,
  type CommandEngine,
  engineListens,
  otherAddresses,
  pluginAddresses,
} from "./engine.ts";
import { configSet } from "../../../problems/setting-commands.ts";

/** No Docker engine where the docker plugin looks for one; where there is one elsewhere, what leads the plugin to it. */
export async function dockerEngineProblem(environment = process.env): Promise<Problem | undefined> {
  const addresses = pluginAddresses(environment);
  if ((await firstOf(addresses)) !== undefined) return undefined;
  const host = environment["DOCKER_HOST"];
  const problem = {
    where: host ? `DOCKER_HOST=${host}` : "Docker engine",
    found: `no engine listens at ${addresses.join(" or ")}`,
    allowed: "a running Docker engine, which builds the images",
  };
  const elsewhere = await engineElsewhere(environment);
  if (elsewhere === undefined) {
    const fix = `start Docker, or provision without building: ${configSet("publishImages", "false")}`;
    return { ...problem, fix };
  }
  const { address, context } = elsewhere;
  const whose = context === undefined ? "one listens" : `the docker command's context ${context} has one`;
  return { ...problem, found: `${problem.found}; ${whose} at ${address}`, fix: exportLine(elsewhere) };
}

/** An engine that answers, and that the plugin does not look for. */
async function engineElsewhere(environment: NodeJS.ProcessEnv): Promise<CommandEngine | undefined> {
  const { DOCKER_HOST: host, ...rest } = environment;
  const engine = commandEngine(rest);
  if (engine.context !== undefined && (await engineListens(engine.address))) return engine;
  // With a DOCKER_HOST that leads nowhere, the usual sockets have not been tried.
  const usual = host ? pluginAddresses(rest) : [];
  const address = await firstOf([...usual, ...otherAddresses(environment)]);
  return address === undefined ? undefined : { address };
}

async function firstOf(addresses: readonly string[]): Promise<string | undefined> {
  const answers = await Promise.all(addresses.map(engineListens));
  return addresses.find((_, index) => answers[index] === true);
}

function exportLine({ address, certificates }: CommandEngine): string {
  const tls =
    certificates === undefined ? "" : ` DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=${shellWord(certificates)}`;
  return `export DOCKER_HOST=${shellWord(address)}${tls}`;
}

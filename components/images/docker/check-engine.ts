import { coerce, lt } from "semver";
import type { Findings, Problem } from "../../../problems/problem.ts";
import { configSet } from "../../../problems/setting-commands.ts";
import { shellWord, shownName } from "../../../problems/wording.ts";
import { commandEngine, type CommandEngine, engineFacts, engineListens, pluginAddresses } from "./engine.ts";

/** The engine that the docker plugin uses, with the problems of building there. */
export interface EngineCheck extends Findings {
  /** Undefined if no engine answers. */
  address?: string;
}

/** Finds the engine that the docker plugin uses, and checks whether the plugin can build there. */
export async function checkEngine(environment = process.env): Promise<EngineCheck> {
  const addresses = pluginAddresses(environment);
  const address = await firstOf(addresses);
  if (address === undefined) return { problems: [await noEngine(addresses, environment)], warnings: [] };
  const facts = await engineFacts(address);
  const where = environment["DOCKER_HOST"] ? `DOCKER_HOST=${address}` : "Docker engine";
  if (facts === undefined) {
    const found = `an engine at ${address}, whose version and image store cannot be read`;
    const allowed = `Docker ${OLDEST_CONTAINERD} or later, if it uses containerd's image store: a build fails on an older one`;
    return { address, problems: [], warnings: [{ where, found, allowed, fix: "docker info" }] };
  }
  const version = shownName(facts.version);
  const problems: Problem[] = [];
  if (facts.system !== "linux") {
    problems.push({
      where,
      found: `an engine for ${shownName(facts.system)} containers`,
      allowed: "an engine for Linux containers",
      fix: "in Docker Desktop's menu: Switch to Linux containers",
    });
  }
  const parsed = coerce(facts.version);
  if (facts.containerdStore && parsed !== null && lt(parsed, OLDEST_CONTAINERD)) {
    problems.push({
      where,
      found: `Docker ${version} with containerd's image store: a build would fail with "failed to read downloaded context ... 403"`,
      allowed: `Docker ${OLDEST_CONTAINERD} or later, or the classic image store`,
      fix: `update Docker; or set "features": {"containerd-snapshotter": false} in its daemon.json and restart it`,
    });
  }
  return { address, problems, warnings: [] };
}

/** The first release with moby/moby#49194. In older ones BuildKit cannot read the context that the plugin sends. */
const OLDEST_CONTAINERD = "27.5.0";

/** If the docker command has an engine, the fix points the plugin to it. */
async function noEngine(addresses: readonly string[], environment: NodeJS.ProcessEnv): Promise<Problem> {
  const { DOCKER_HOST: host, ...rest } = environment;
  const problem = {
    where: host ? `DOCKER_HOST=${host}` : "Docker engine",
    found: `no engine listens at ${addresses.join(" or ")}`,
    allowed: "a running Docker engine, which builds the images",
  };
  const elsewhere = await commandEngine(rest);
  if (!(await engineListens(elsewhere.address))) {
    const fix = `start Docker, or provision without building: ${configSet("publishImages", "false")}`;
    return { ...problem, fix };
  }
  const { address, context } = elsewhere;
  const whose = context === undefined ? "one listens" : `the docker command's context ${context} has one`;
  return { ...problem, found: `${problem.found}; ${whose} at ${address}`, fix: exportLine(elsewhere) };
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

import { engineListens, pluginAddresses, requestTarget } from "../../../components/images/docker/engine.ts";
import { type Answer, send } from "../../lib/http.ts";
import { isRecord, type Properties, text } from "../rpc/values.ts";
import type { RegistryAuth } from "./credentials.ts";
import { parseImageName } from "./image-name.ts";

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

/** A Docker engine, asked by its API (https://docs.docker.com/reference/api/engine/) as the real plugin does. */
export class Engine {
  private readonly address: string;

  /** @param address `unix:///PATH` or, without TLS, `tcp://HOST:PORT`: the sandbox has no others */
  constructor(address: string) {
    this.address = address;
  }

  /** What the engine knows of an image; undefined when it does not have it. */
  async inspect(image: string, signal: AbortSignal): Promise<Properties | undefined> {
    const answer = await this.ask("GET", `/images/${image}/json`, signal);
    if (answer.status === 404) return undefined;
    const found: unknown = JSON.parse(whole(answer));
    return isRecord(found) ? found : {};
  }

  /** Gives an image a second name. */
  async tag(source: string, target: string, signal: AbortSignal): Promise<void> {
    const { host, repository, reference } = parseImageName(target);
    const query = new URLSearchParams({ repo: `${host}/${repository}`, tag: reference });
    whole(await this.ask("POST", `/images/${source}/tag?${query.toString()}`, signal));
  }

  /** Pulls an image by its digest. */
  async pull(image: string, auth: RegistryAuth, signal: AbortSignal): Promise<void> {
    const { host, repository, reference } = parseImageName(image);
    const query = new URLSearchParams({ fromImage: `${host}/${repository}`, tag: reference });
    succeeded(whole(await this.ask("POST", `/images/create?${query.toString()}`, signal, auth)));
  }

  /** Pushes a name of the engine. */
  async push(image: string, auth: RegistryAuth, signal: AbortSignal): Promise<void> {
    const { host, repository, reference } = parseImageName(image);
    const query = new URLSearchParams({ tag: reference });
    const path = `/images/${host}/${repository}/push?${query.toString()}`;
    succeeded(whole(await this.ask("POST", path, signal, auth)));
  }

  private async ask(method: string, path: string, signal: AbortSignal, auth?: RegistryAuth): Promise<Answer> {
    const target = requestTarget(this.address);
    if (target === undefined)
      throw new Error(
        "the sandbox's fake provider for the docker plugin asks engines at unix:// and tcp:// alone, " +
          `not at ${this.address}; the real docker plugin asks others too`,
      );
    const headers: Record<string, string> = auth ? { "x-registry-auth": encoded(auth) } : {};
    return send({ method, url: new URL(`http://docker${path}`), headers, target, signal });
  }
}

function encoded({ address, username, password }: RegistryAuth): string {
  const login = username === "" ? {} : { username, password, serveraddress: address };
  // Padded: older engines want it whole.
  return Buffer.from(JSON.stringify(login)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/** @throws what the engine refuses with, in the words of Docker's client */
function whole({ status, body }: Answer): string {
  if (status >= 200 && status < 300) return body;
  const found: unknown = JSON.parse(body);
  throw new Error(`Error response from daemon: ${isRecord(found) ? text(found, "message") : body}`);
}

/** @throws what went wrong after the engine had begun to answer: a line of its progress, each of which is JSON. */
function succeeded(progress: string): void {
  for (const line of progress.split("\n").filter((one) => one.trim() !== "")) {
    const step: unknown = JSON.parse(line);
    if (isRecord(step) && typeof step["error"] === "string") throw new Error(step["error"]);
  }
}

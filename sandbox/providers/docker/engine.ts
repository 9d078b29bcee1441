import { request } from "node:http";
import { Docker } from "./cli.ts";

const refusal =
  "docker native provider returned an unexpected error from Configure: failed to connect to any docker daemon";

/**
 * @param host as in DOCKER_HOST; "" for whatever the Docker CLI chooses
 * @throws the real plugin's words when no engine answers
 */
export async function assertEngine(host: string, docker: Docker): Promise<void> {
  const answers = /^(unix|tcp|http):\/\//.test(host) ? await ping(host) : await docker.answers();
  if (!answers) throw new Error(`${refusal} (tried ${host === "" ? "the Docker CLI's default" : host})`);
}

/** A request of its own is quicker than a start of the CLI, and a preview pays for it each time. */
function ping(host: string): Promise<boolean> {
  const url = new URL(host.replace(/^tcp:/, "http:"));
  const target = host.startsWith("unix:")
    ? { socketPath: host.slice("unix://".length) }
    : { host: url.hostname, port: url.port || 2375 };
  return new Promise((resolve) => {
    const asked = request({ ...target, path: "/_ping", timeout: 10_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => {
      resolve(false);
    });
    asked.end();
  });
}

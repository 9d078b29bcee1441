import manifest from "@pulumi/docker/package.json" with { type: "json" };
import type { Provider } from "../rpc/provider.ts";
import { Docker } from "./cli.ts";
import { findEngine } from "./engine.ts";
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

import manifest from "@pulumi/docker/package.json" with { type: "json" };
import type { Provider } from "../rpc/provider.ts";
import { Docker } from "./cli.ts";
import { Engine, findEngine } from "./engine.ts";
import { image } from "./image.ts";
import { registryImage } from "./registry-image.ts";
import { remoteImage } from "./remote-image.ts";
import { checkSettings, readSettings, type Settings } from "./settings.ts";
import { tag } from "./tag.ts";

interface Configured {
  docker: Docker;
  engine: Engine;
  settings: Settings;
}

let configured: Configured | undefined;

function current(): Configured {
  if (configured) return configured;
  throw new Error("the engine did not configure the docker plugin");
}

const docker = (): Docker => current().docker;
const engine = (): Engine => current().engine;
const settings = (): Settings => current().settings;

export const provider: Provider = {
  name: "docker",
  version: manifest.version,
  checkSettings,
  async configure(sent) {
    const read = await readSettings(sent, process.env);
    const address = await findEngine(read.host, process.env);
    configured = {
      docker: new Docker({ ...process.env, DOCKER_HOST: address }),
      engine: new Engine(address),
      settings: read,
    };
  },
  resources: [image(docker), remoteImage(engine, settings), tag(engine), registryImage(engine, settings)],
  functions: {},
  endsOnCancel: true,
};

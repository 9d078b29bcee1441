import manifest from "@pulumi/docker/package.json" with { type: "json" };
import { serve } from "../rpc/serve.ts";
import { Docker } from "./cli.ts";
import { findEngine } from "./engine.ts";
import { image } from "./image.ts";
import { registryImage } from "./registry-image.ts";
import { remoteImage } from "./remote-image.ts";
import { checkSettings, readSettings, type Settings } from "./settings.ts";
import { tag } from "./tag.ts";

let configured: { docker: Docker; settings: Settings } | undefined;

function current(): { docker: Docker; settings: Settings } {
  if (configured) return configured;
  throw new Error("the engine did not configure the docker plugin");
}

const docker = (): Docker => current().docker;
const settings = (): Settings => current().settings;

void serve({
  name: "docker",
  version: manifest.version,
  checkSettings,
  async configure(sent) {
    const read = await readSettings(sent, process.env);
    const engine = await findEngine(read.host, process.env);
    configured = { docker: new Docker({ ...process.env, DOCKER_HOST: engine }), settings: read };
  },
  resources: [image(docker), remoteImage(docker, settings), tag(docker), registryImage(docker, settings)],
  functions: {},
  endsOnCancel: true,
});

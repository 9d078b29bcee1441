import { pluginVersion } from "../install";
import { serve } from "../rpc/serve";
import { Docker } from "./cli";
import { assertEngine } from "./engine";
import { image } from "./image";
import { registryImage } from "./registry-image";
import { remoteImage } from "./remote-image";
import { checkSettings, readSettings, type Settings } from "./settings";
import { tag } from "./tag";

let configured: { docker: Docker; settings: Settings } | undefined;

function current(): { docker: Docker; settings: Settings } {
  if (configured) return configured;
  throw new Error("the engine did not configure the docker plugin");
}

const docker = (): Docker => current().docker;
const settings = (): Settings => current().settings;

void serve({
  name: "docker",
  version: pluginVersion("docker"),
  checkSettings,
  async configure(sent) {
    const read = await readSettings(sent, process.env);
    const cli = new Docker(read.host === "" ? process.env : { ...process.env, DOCKER_HOST: read.host });
    await assertEngine(read.host, cli);
    configured = { docker: cli, settings: read };
  },
  resources: [image(docker), remoteImage(docker, settings), tag(docker), registryImage(docker, settings)],
  functions: {},
});

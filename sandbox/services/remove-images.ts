import type { SandboxPaths } from "../lib/paths.ts";
import { run } from "../lib/run-command.ts";
import type { Tools } from "../lib/tools.ts";
import { readConfig, registryHost } from "../lib/config.ts";

/** Removes the sandbox's images from the user's own engine; one that a container uses stays. */
export async function removeLocalImages(paths: SandboxPaths, tools: Tools): Promise<void> {
  const config = readConfig(paths);
  if (!config) return;
  const env = { DOCKER_HOST: tools.engine.host };
  const reference = `reference=${registryHost(config)}/*/*/*`;
  const format = "{{.Repository}}:{{.Tag}}";
  const listed = await run(tools.docker.path, ["image", "ls", "--filter", reference, "--format", format], {
    env,
  });
  const names = listed.stdout.split("\n").filter((name) => name !== "" && !name.endsWith(":<none>"));
  if (names.length > 0) await run(tools.docker.path, ["image", "rm", ...names], { env });
}

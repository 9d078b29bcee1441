import { commandEnvironment } from "../../sandbox/services/environment.ts";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { run } from "../../sandbox/lib/run-command.ts";
import { requireRunning } from "../../sandbox/lib/require-sandbox.ts";
import { registryHost } from "../../sandbox/lib/config.ts";

/** The images of a sandbox in its Docker engine. */
export class Engine {
  private readonly env: NodeJS.ProcessEnv;
  private readonly registry: string;
  /** Whether the engine is the sandbox's own. In the user's engine, only images of the sandbox's registry count. */
  private readonly own: boolean;

  private constructor(env: NodeJS.ProcessEnv, registry: string, own: boolean) {
    this.env = env;
    this.registry = registry;
    this.own = own;
  }

  static async of(root: string): Promise<Engine> {
    const paths = sandboxPaths(root);
    const { config, tools } = requireRunning(paths);
    const env = await commandEnvironment(paths, config, tools);
    return new Engine(env, registryHost(config), tools.engine.kind === "own");
  }

  /** The lines that `docker ARGS` prints. */
  private async docker(...args: string[]): Promise<string[]> {
    const { ok, stdout, failure } = await run("docker", args, { env: this.env });
    if (!ok) throw new Error(`docker ${args.join(" ")}: ${failure}`);
    return stdout.split("\n").filter((line) => line !== "");
  }

  /** Ids of the images by name, or by id if there is no name. */
  async images(): Promise<Record<string, string>> {
    const format = "{{.Repository}}:{{.Tag}} {{.ID}}";
    const lines = await this.docker("image", "ls", "--no-trunc", "--format", format);
    const images = lines.map((line) => line.split(" ") as [name: string, id: string]);
    const mine = images.filter(([name]) => this.own || name.startsWith(`${this.registry}/`));
    return Object.fromEntries(mine.map(([name, id]) => [name.endsWith(":<none>") ? id : name, id]));
  }

  /** Restores these images and removes all others; false if an image is not available. */
  async restore(kept: Readonly<Record<string, string>>): Promise<boolean> {
    if (this.own) await this.removeContainers();
    const before = await this.images();
    for (const [name, id] of Object.entries(kept)) {
      if (before[name] === id) continue;
      if (Object.values(before).includes(id)) await this.docker("image", "tag", id, name);
      else if (name.startsWith(`${this.registry}/`)) await this.docker("pull", "--quiet", name);
    }
    const now = await this.images();
    const more = Object.keys(now).filter((name) => !(name in kept));
    if (more.length > 0) await this.docker("image", "rm", "--force", ...more);
    return Object.entries(kept).every(([name, id]) => now[name] === id);
  }

  private async removeContainers(): Promise<void> {
    for (const [list, remove] of [
      ["ps --all --quiet", "rm --force --volumes"],
      ["network ls --quiet --filter type=custom", "network rm"],
      ["volume ls --quiet", "volume rm --force"],
    ] as const) {
      const found = await this.docker(...list.split(" "));
      if (found.length > 0) await this.docker(...remove.split(" "), ...found);
    }
  }
}

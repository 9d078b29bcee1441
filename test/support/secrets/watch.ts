import { basename } from "node:path";
import { sandboxPaths } from "../../../sandbox/lib/paths.ts";
import { run } from "../../../sandbox/lib/run-command.ts";
import { commandLine, processIds } from "../../../sandbox/lib/processes.ts";
import { readTools } from "../../../sandbox/lib/tools.ts";
import type { Finding, SecretFinder } from "./finder.ts";
import { exposedFiles, readExposed } from "./files.ts";
import { finderFor } from "./secrets.ts";

export interface Leak extends Finding {
  where: string;
}

/** Timeout of the engine, which a test may have stopped. */
const ENGINE_MS = 10_000;

/** Interval of looks at the process list. */
const LOOK_MS = 250;

/** Looks at a new process: soon after its start, it can become another program. */
const LOOKS = 8;

/** Subcommands that print tokens. */
const PRINT_SECRETS = ["env", "token", "github-token"];

/**
 * Watches a sandbox for exposed secrets: in state and logs, in files that all users can read, in the history and configuration
 * of images, in the output of commands, and in command lines. Scans only changes.
 */
export class SecretsWatch {
  private readonly root: string;
  private readonly commandLines = new Set<string>();
  /** The number of looks at each running process. */
  private readonly looks = new Map<number, number>();
  private readonly lookedAt = new Set<string>();
  private readonly versions = new Map<string, string>();
  private outputs: { where: string; text: string }[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(root: string) {
    this.root = root;
    this.timer = setInterval(() => {
      this.lookAtProcesses();
    }, LOOK_MS);
    this.timer.unref();
  }

  /** Records a command of a test. */
  note(words: readonly string[], output: string): void {
    const where = `\`${words.slice(0, 2).join(" ")}\``;
    this.outputs.push({ where: `the command line of ${where}`, text: words.join(" ") });
    if (!PRINT_SECRETS.includes(words[0] ?? ""))
      this.outputs.push({ where: `the output of ${where}`, text: output });
  }

  /** Leaks since the last scan. */
  async scan(): Promise<Leak[]> {
    this.lookAtProcesses();
    const finder = finderFor(this.root);
    return [
      ...this.inFiles(finder),
      ...this.inProcesses(finder),
      ...this.inOutputs(finder),
      ...(await this.inImages(finder)),
    ];
  }

  /** @throws if there are leaks since the last scan. */
  async check(): Promise<void> {
    const leaks = await this.scan();
    if (leaks.length > 0) throw new Error(leakMessage(leaks));
  }

  /** Ends the watch after a last check. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    await this.check();
  }

  private inFiles(finder: SecretFinder): Leak[] {
    return exposedFiles(this.root).flatMap((file) => {
      if (this.versions.get(file.path) === file.version) return [];
      this.versions.set(file.path, file.version);
      return inContent(finder, file.path, readExposed(this.root, file));
    });
  }

  private inProcesses(finder: SecretFinder): Leak[] {
    return [...this.commandLines].flatMap((line) => {
      if (this.lookedAt.has(line)) return [];
      this.lookedAt.add(line);
      return inContent(
        finder,
        `the process list, as an argument of ${basename(line.split(" ")[0] ?? "")}`,
        line,
      );
    });
  }

  private inOutputs(finder: SecretFinder): Leak[] {
    const noted = this.outputs;
    this.outputs = [];
    return noted.flatMap(({ where, text }) => inContent(finder, where, text));
  }

  private async inImages(finder: SecretFinder): Promise<Leak[]> {
    const listed = await this.docker("image", "ls", "--all", "--quiet", "--no-trunc");
    const images = [...new Set(listed.split("\n"))].filter((id) => id !== "" && !this.lookedAt.has(id));
    if (images.length === 0) return [];
    const configuration = await this.docker("image", "inspect", ...images);
    const histories = await Promise.all(
      images.map((id) => this.docker("image", "history", "--no-trunc", "--format", "{{json .}}", id)),
    );
    for (const id of images) this.lookedAt.add(id);
    return [
      ...inContent(finder, "the configuration of an image", configuration),
      ...images.flatMap((id, index) => inContent(finder, `the history of image ${id}`, histories[index])),
    ];
  }

  /** The output of a Docker command; empty if the engine does not answer. */
  private async docker(...args: string[]): Promise<string> {
    const tools = readTools(sandboxPaths(this.root));
    if (tools === undefined) return "";
    const { stdout } = await run(tools.docker.path, args, {
      env: { DOCKER_HOST: tools.engine.host },
      timeout: ENGINE_MS,
    });
    return stdout;
  }

  private lookAtProcesses(): void {
    const running = new Set(processIds());
    for (const pid of this.looks.keys()) if (!running.has(pid)) this.looks.delete(pid);
    for (const pid of running) {
      const looks = this.looks.get(pid) ?? 0;
      if (looks === LOOKS) continue;
      this.looks.set(pid, looks + 1);
      this.commandLines.add(commandLine(pid));
    }
  }
}

function inContent(finder: SecretFinder, where: string, content: Buffer | string | undefined): Leak[] {
  return content === undefined ? [] : finder.find(content).map((finding) => ({ ...finding, where }));
}

/** Names leaks without their values. */
export function leakMessage(leaks: readonly Leak[]): string {
  const lines = leaks.map(({ secret, form, where }) => `  ${secret}, ${form}, in ${where}`);
  return ["Secrets in the clear:", ...lines].join("\n");
}

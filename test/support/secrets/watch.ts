import { basename } from "node:path";
import { sandboxPaths } from "../../../sandbox/lib/paths.ts";
import { run } from "../../../sandbox/lib/run-command.ts";
import { allProcesses, commandLine } from "../../../sandbox/lib/processes.ts";
import { readTools } from "../../../sandbox/lib/tools.ts";
import type { Finding, SecretFinder } from "./finder.ts";
import { exposedFiles, readExposed } from "./files.ts";
import { finderFor } from "./secrets.ts";

/** A secret that was found, and where. */
export interface Leak extends Finding {
  where: string;
}

/** How long the engine may take to answer, in milliseconds: one that a test has stopped never does. */
const ENGINE_MS = 10_000;

/** Between two looks at the process list, in milliseconds. */
const LOOK_MS = 100;

/** Words of the sandbox that print a token because they are asked to. */
const PRINT_SECRETS = ["env", "token", "github-token"];

/**
 * Watches a sandbox for secrets in the clear: in its state and logs, in files that everybody can read, in the history
 * and configuration of its images, in what commands print, and in the command line of any process. What was looked at
 * once is looked at again only when it changed.
 */
export class SecretsWatch {
  private readonly root: string;
  private readonly commandLines = new Set<string>();
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

  /** Notes a command of a test: its words, and what it printed. */
  note(words: readonly string[], output: string): void {
    const where = `\`${words.slice(0, 2).join(" ")}\``;
    this.outputs.push({ where: `the command line of ${where}`, text: words.join(" ") });
    if (!PRINT_SECRETS.includes(words[0] ?? ""))
      this.outputs.push({ where: `the output of ${where}`, text: output });
  }

  /** Everything that leaked since the last time. */
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

  /** Throws when anything leaked since the last time. */
  async check(): Promise<void> {
    const leaks = await this.scan();
    if (leaks.length > 0) throw new Error(leakMessage(leaks));
  }

  /** Ends the watch, after a last look. Throws when it finds anything. */
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

  /** What a command of Docker prints; nothing where the engine does not answer. */
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
    for (const pid of allProcesses()) this.commandLines.add(commandLine(pid));
  }
}

function inContent(finder: SecretFinder, where: string, content: Buffer | string | undefined): Leak[] {
  return content === undefined ? [] : finder.find(content).map((finding) => ({ ...finding, where }));
}

/** Says what leaked where, and not what it is. */
export function leakMessage(leaks: readonly Leak[]): string {
  const lines = leaks.map(({ secret, form, where }) => `  ${secret}, ${form}, in ${where}`);
  return ["Secrets in the clear:", ...lines].join("\n");
}

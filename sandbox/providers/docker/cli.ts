import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { messageOf } from "../../../problems/wording.ts";
import { findDockerCommand } from "../../../components/images/docker/command.ts";
import { findCommands } from "../../lib/files.ts";

/** Output that is kept. */
const keptLines = 2000;

/** A failed command of the Docker CLI, with its output. */
export class DockerError extends Error {
  readonly command: string;
  readonly lines: string[];

  constructor(
    command: string,
    /** Standard output and standard error. */
    lines: string[],
  ) {
    super(`docker ${command}: ${lines.slice(-5).join("\n").trim() || "failed without a word"}`);
    this.command = command;
    this.lines = lines;
  }
}

/** The last lines of a failed command, without the progress of layers. */
export function lastWords(error: unknown): string {
  if (!(error instanceof DockerError)) return messageOf(error);
  const words = error.lines.filter((line) => !/^([0-9a-f]{12}: |The push refers to )/.test(line));
  return words.slice(-5).join("\n").trim() || error.message;
}

/** The Docker CLI in an environment. */
export class Docker {
  private readonly environment: NodeJS.ProcessEnv;
  private builder: Promise<string> | undefined;

  constructor(environment: NodeJS.ProcessEnv) {
    this.environment = environment;
  }

  /** A CLI that builds with BuildKit: one with the buildx plugin, or an old one with BuildKit support. */
  buildCli(): Promise<string> {
    this.builder ??= findBuildCli();
    return this.builder;
  }

  /**
   * @returns the last lines of standard output and standard error.
   * @throws DockerError on failure.
   */
  run(
    args: string[],
    options: {
      signal: AbortSignal;
      cli?: string;
      environment?: NodeJS.ProcessEnv;
      onLine?: (line: string) => void;
    },
  ): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const lines: string[] = [];
      const child = spawn(options.cli ?? "docker", args, {
        env: { ...this.environment, ...options.environment },
        stdio: ["ignore", "pipe", "pipe"],
        signal: options.signal,
      });
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          lines.push(line);
          if (lines.length > 2 * keptLines) lines.splice(0, keptLines);
          options.onLine?.(line);
        });
      }
      child.on("error", (error) => {
        if ("code" in error && error.code === "ENOENT") {
          reject(
            new Error(
              "the Docker CLI (`docker`) is not on the PATH; install it, on Debian by `apt-get install docker.io`",
            ),
          );
        } else reject(error);
      });
      child.on("close", (code) => {
        if (code === 0) resolve(lines);
        else reject(new DockerError(args[0] ?? "", lines));
      });
    });
  }
}

async function findBuildCli(): Promise<string> {
  const candidates = findCommands("docker");
  const found = await findDockerCommand(candidates);
  if (found?.buildKit === true) return found.path;
  throw new Error(
    candidates.length === 0
      ? "the Docker CLI (`docker`) is not on the PATH; install it, on Debian by `apt-get install docker.io`"
      : `no Docker CLI here can build with BuildKit: ${candidates.join(", ")} ` +
          "(a CLI from version 23 on needs the buildx plugin; install docker-buildx, or docker.io 20.10)",
  );
}

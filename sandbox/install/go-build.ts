import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { SandboxError } from "../errors";
import { findCommands, systemPath } from "../files";
import type { Progress } from "./progress";

/** A program to build from a module of ours that pins it and all it needs. */
export interface GoProgram {
  /** Folder of the module: `go.mod`, `go.sum`. */
  folder: string;
  /** Import path of the program. */
  program: string;
  /** Passed to the linker beside what keeps the file small. */
  linkerFlags?: string;
}

/** Where Go is usually unpacked, for a PATH that lacks it. */
const GO_FOLDER = "/usr/local/go/bin";

/** Builds a Go program into folder `target`, and says how many packages are done and how long it has taken. */
export async function goBuild(program: GoProgram, target: string, progress: Progress): Promise<void> {
  const go = findCommands("go")[0] ?? (existsSync(join(GO_FOLDER, "go")) ? join(GO_FOLDER, "go") : undefined);
  const name = program.program.split("/").at(-1) ?? program.program;
  if (!go)
    throw new SandboxError(
      `${name} can neither be downloaded here nor built: Go 1.25 or later is not installed.\n` +
        "Install it (https://go.dev/dl), or the Pulumi CLI 3.259.0 or later (https://www.pulumi.com/docs/install)",
    );
  const options = {
    cwd: program.folder,
    env: { PATH: systemPath(), GOWORK: "off", GOFLAGS: "-mod=readonly -buildvcs=false" },
  };
  progress(`${name}: downloading its sources`);
  const listed = await execa(go, ["list", "-deps", program.program], { ...options, reject: false });
  if (listed.exitCode !== 0) throw new SandboxError(`${name} cannot be built:\n${lastLines(listed.stderr)}`);
  const total = listed.stdout.split("\n").length;

  const began = Date.now();
  let built = 0;
  const tell = () => {
    progress(`${name}: building, ${built} of at most ${total} packages, ${seconds(began)}`);
  };
  tell();
  const timer = setInterval(tell, 10_000);
  const flags = `-s -w ${program.linkerFlags ?? ""}`.trim();
  const child = execa(
    go,
    ["build", "-v", "-trimpath", "-ldflags", flags, "-o", `${target}/`, program.program],
    {
      ...options,
      reject: false,
    },
  );
  child.stderr.on("data", (part: Buffer) => (built += part.toString("utf8").split("\n").length - 1));
  const result = await child;
  clearInterval(timer);
  if (result.exitCode !== 0) throw new SandboxError(`${name} cannot be built:\n${lastLines(result.stderr)}`);
  progress(`${name}: built in ${seconds(began)}`);
}

function seconds(since: number): string {
  return `${Math.round((Date.now() - since) / 1000)} s`;
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-6).join("\n");
}

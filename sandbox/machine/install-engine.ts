import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SandboxError } from "../lib/errors.ts";
import { whileHolding } from "../lib/lock.ts";
import { sharedCache } from "../lib/paths.ts";
import type { Progress } from "../lib/progress.ts";
import { goBuild } from "./go-build.ts";

/** The variable that makes the sandbox run its own current Docker engine. */
export const ENGINE_VARIABLE = "HYPERION_SANDBOX_ENGINE";

export function wantsCurrentEngine(env: NodeJS.ProcessEnv): boolean {
  const choice = env[ENGINE_VARIABLE] ?? "";
  if (choice === "" || choice === "current") return choice === "current";
  throw new SandboxError(
    `${ENGINE_VARIABLE} is "${choice}": set it to current, or unset it to use your engine or Debian's`,
  );
}

const MODULE = join(import.meta.dirname, "go", "engine");
const MOBY = "github.com/moby/moby/v2";
const CONTAINERD = "github.com/containerd/containerd/v2";
const PROGRAMS = [
  `${MOBY}/cmd/dockerd`,
  `${MOBY}/cmd/docker-proxy`,
  `${CONTAINERD}/cmd/containerd`,
  `${CONTAINERD}/cmd/containerd-shim-runc-v2`,
];

/** The engine's version: this release of its module is part of Docker 29. */
const VERSION = "29.0.0-dev";

/** The engine's programs, for all checkouts. The name has the versions in `go/engine/go.mod`. */
export function currentEngineFolder(): string {
  const pinned = readFileSync(join(MODULE, "go.mod"), "utf8");
  const version = (module: string) => new RegExp(`^\\t${module} (\\S+)`, "m").exec(pinned)?.[1] ?? "";
  return join(sharedCache, `engine-moby-${version(MOBY)}-containerd-${version(CONTAINERD)}`);
}

/** Builds the current engine: about seven minutes on two cores, once for all checkouts. */
export async function ensureCurrentEngine(progress: Progress): Promise<void> {
  const target = currentEngineFolder();
  await mkdir(dirname(target), { recursive: true });
  await whileHolding(`${target}.lock`, async () => {
    if (existsSync(target)) return;
    const linkerFlags = `-X ${MOBY}/dockerversion.Version=${VERSION}`;
    const programs = PROGRAMS.map((program) => ({ folder: MODULE, program, linkerFlags }));
    // Moves the whole folder before goBuild removes it.
    await goBuild(programs, target, progress, (built) => rename(built, target));
  });
}

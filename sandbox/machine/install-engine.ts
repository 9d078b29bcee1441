import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SandboxError } from "../lib/errors.ts";
import { whileHolding } from "../lib/lock.ts";
import { sharedCache } from "../lib/paths.ts";
import type { Progress } from "../lib/progress.ts";
import { goBuild, type GoModule } from "./go-build.ts";

/** The variable that makes the sandbox run its own current Docker engine. */
export const ENGINE_VARIABLE = "HYPERION_SANDBOX_ENGINE";

export function wantsCurrentEngine(env: NodeJS.ProcessEnv): boolean {
  const choice = env[ENGINE_VARIABLE] ?? "";
  if (choice === "" || choice === "current") return choice === "current";
  throw new SandboxError(
    `${ENGINE_VARIABLE} is "${choice}": set it to current, or unset it to use your engine or Debian's`,
  );
}

const MOBY: GoModule = {
  path: "github.com/moby/moby/v2",
  version: "v2.0.0-beta.24",
  sum: "h1:sWv7EckkDJhpraR9yUjkw1XeVf39+MWd58E22PYloNA=",
};
const CONTAINERD: GoModule = {
  path: "github.com/containerd/containerd/v2",
  version: "v2.4.2",
  sum: "h1:p6Qg+xbEz8lvwdhHDx0U469xENvp4LgGBx+E7djXkGw=",
};

/** The engine's version: this release of its module is part of Docker 29. */
const VERSION = "29.0.0-dev";

/** The engine's programs, for all checkouts. */
export const CURRENT_ENGINE = join(
  sharedCache,
  `engine-moby-${MOBY.version}-containerd-${CONTAINERD.version}`,
);

/** Builds the current engine: about seven minutes on two cores, once for all checkouts. */
export async function ensureCurrentEngine(progress: Progress): Promise<void> {
  await mkdir(dirname(CURRENT_ENGINE), { recursive: true });
  await whileHolding(`${CURRENT_ENGINE}.lock`, async () => {
    if (existsSync(CURRENT_ENGINE)) return;
    const linkerFlags = `-X ${MOBY.path}/dockerversion.Version=${VERSION}`;
    const programs = [
      { module: MOBY, folders: ["./cmd/dockerd", "./cmd/docker-proxy"], linkerFlags },
      { module: CONTAINERD, folders: ["./cmd/containerd", "./cmd/containerd-shim-runc-v2"] },
    ];
    await goBuild(programs, CURRENT_ENGINE, progress, (built) => rename(built, CURRENT_ENGINE));
  });
}

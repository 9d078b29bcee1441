import { platform } from "node:os";
import { SandboxError } from "../lib/errors.ts";
import type { SandboxPaths } from "../lib/paths.ts";
import type { EngineChoice } from "../lib/tools.ts";
import { engineInfo } from "../lib/engine-info.ts";
import { ensureOwnEngine, ownEngineHost } from "../machine/engine/own-engine.ts";
import { CURRENT_ENGINE, ENGINE_VARIABLE, wantsCurrentEngine } from "../machine/install-engine.ts";
import { findUserEngine } from "./user-engine.ts";

/**
 * Chooses the engine: the one chosen before, if it still answers; else the user's, if it answers and can reach the sandbox's
 * registry; else the sandbox's own, which needs Linux and root. The environment can request a current one.
 */
export async function chooseEngine(
  paths: SandboxPaths,
  before: EngineChoice | undefined,
): Promise<EngineChoice> {
  const own: EngineChoice = { kind: "own", host: ownEngineHost(paths) };
  if (wantsCurrentEngine(process.env)) {
    if (before !== undefined && before.current !== true)
      throw new SandboxError(
        `${ENGINE_VARIABLE} requests a current engine, but this sandbox was created with another one.\n` +
          "Start again: npm run sandbox -- down --force && npm run sandbox",
      );
    return { ...own, current: true };
  }
  if (before?.current === true) return before;
  if (before?.kind === "own") return own;
  if (before && (await engineInfo(before.host))) return before;
  const user = await findUserEngine();
  if (user.usable) return { kind: "yours", host: user.host };
  if (platform() === "linux" && process.getuid?.() === 0) return own;
  throw new SandboxError(
    `no Docker engine is usable: ${user.host}: ${user.why}.\n` +
      "Start one on this machine and set DOCKER_HOST, or run this as root to start the sandbox's own engine.",
  );
}

/** Starts the sandbox's own engine if it does not run. Returns whether it was started. */
export async function ensureEngine(paths: SandboxPaths, choice: EngineChoice): Promise<boolean> {
  if (choice.kind === "yours") return false;
  return ensureOwnEngine(paths, choice.current === true ? CURRENT_ENGINE : undefined);
}

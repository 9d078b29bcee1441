import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandboxError } from "../lib/errors.ts";
import { findCommands, systemPath } from "../lib/files.ts";
import { whileHolding } from "../lib/lock.ts";
import { lastLines, run } from "../lib/run-command.ts";
import type { Progress } from "../lib/progress.ts";

/** The command for apt-get: directly as root, else by a sudo that needs no password. */
export type AptPrefix = { usable: true; command: string[] } | { usable: false; why: string };

export function aptPrefix(machine: { root: boolean; apt: boolean; sudo: boolean }): AptPrefix {
  if (!machine.apt) return { usable: false, why: "this machine has no apt-get" };
  if (machine.root) return { usable: true, command: ["apt-get"] };
  if (machine.sudo) return { usable: true, command: ["sudo", "-n", "-E", "apt-get"] };
  return { usable: false, why: "installing needs root" };
}

const INSTALL = ["install", "--yes", "--quiet", "--no-install-recommends"];
const UPDATE = ["update", "--quiet"];

const env = {
  PATH: systemPath(),
  DEBIAN_FRONTEND: "noninteractive",
  LC_ALL: "C",
  // Otherwise Debian starts the services of new packages.
  SYSTEMD_OFFLINE: "1",
  RUNLEVEL: "1",
};

async function machine(): Promise<{ root: boolean; apt: boolean; sudo: boolean }> {
  const root = process.getuid?.() === 0;
  const apt = findCommands("apt-get").length > 0;
  const sudo = !root && (await run("sudo", ["-n", "true"])).ok;
  return { root, apt, sudo };
}

export async function aptKnows(name: string): Promise<boolean> {
  const shown = await run("apt-cache", ["policy", name], { env });
  return /^\s*Candidate: (?!\(none\))/m.test(shown.stdout);
}

/** @param purpose what the packages are for, in messages. */
export async function aptInstall(packages: string[], purpose: string, progress: Progress): Promise<void> {
  const prefix = aptPrefix(await machine());
  if (!prefix.usable)
    throw new SandboxError(
      `${purpose} is missing, and ${prefix.why}.\n` +
        `Install it and run this again: sudo apt-get update && sudo apt-get install ${packages.join(" ")}\n` +
        "(on other distributions: the packages with the same programs)",
    );
  const { command } = prefix;
  // apt-get does not run twice at a time.
  const lockFile = join(tmpdir(), `hyperion-apt-${process.getuid?.() ?? ""}.lock`);
  await whileHolding(lockFile, () => install(command, packages, purpose, progress));
}

async function install(
  command: string[],
  packages: string[],
  purpose: string,
  progress: Progress,
): Promise<void> {
  const known = await Promise.all(packages.map(aptKnows));
  if (known.includes(false)) {
    progress("reading the package lists (apt-get update)");
    await aptGet(command, UPDATE);
  }
  progress(`installing ${packages.join(", ")} (apt-get), for ${purpose}`);
  const first = await tryAptGet(command, [...INSTALL, ...packages]);
  if (first === undefined) return;
  progress("the package lists are out of date (apt-get update)");
  await aptGet(command, UPDATE);
  await aptGet(command, [...INSTALL, ...packages]);
}

async function aptGet(command: string[], args: string[]): Promise<void> {
  const failure = await tryAptGet(command, args);
  if (failure === undefined) return;
  throw new SandboxError(`apt-get ${args.join(" ")} failed:\n${failure}`);
}

/** Returns the last lines of output on failure, else undefined. */
async function tryAptGet(command: string[], args: string[]): Promise<string | undefined> {
  const [program = "apt-get", ...before] = command;
  const result = await run(program, [...before, ...args], { env, timeout: 900_000 });
  return result.ok ? undefined : lastLines(`${result.stdout}\n${result.stderr}`, 6);
}

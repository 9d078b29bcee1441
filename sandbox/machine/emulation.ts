import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { findCommands } from "../lib/files.ts";
import type { Progress } from "../lib/progress.ts";
import { run } from "../lib/run-command.ts";
import { aptInstall } from "./apt.ts";
import type { Architecture } from "./architecture.ts";

const FOLDER = "/proc/sys/fs/binfmt_misc";

/** QEMU's emulator and the ELF machine of each architecture. */
const EMULATORS = {
  amd64: { name: "qemu-x86_64", program: "qemu-x86_64-static", machine: "\\x3e\\x00" },
  arm64: { name: "qemu-aarch64", program: "qemu-aarch64-static", machine: "\\xb7\\x00" },
} as const;

/** A 64-bit ELF executable or library; the machine follows. */
const MAGIC = "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00";
const MASK = "\\xff".repeat(7) + "\\x00" + "\\xff".repeat(8) + "\\xfe\\xff\\xff\\xff";

/** Whether this machine runs programs of another architecture; `remove` undoes the setup. */
export type Emulation = { usable: true; remove: () => Promise<void> } | { usable: false; why: string };

/**
 * Registers Debian's `qemu-user-static`, also for containers, until `remove` or a reboot. Does nothing if an emulator is
 * registered already.
 */
export async function ensureEmulation(architecture: Architecture, progress: Progress): Promise<Emulation> {
  const { name, program, machine } = EMULATORS[architecture];
  const entry = `${FOLDER}/${name}`;
  const unchanged = { usable: true, remove: () => Promise.resolve() } as const;
  if (existsSync(entry)) return unchanged;
  const why = `this machine does not run programs for ${architecture}`;
  const fix = "docker run --privileged --rm tonistiigi/binfmt --install all";
  if (process.getuid?.() !== 0)
    return { usable: false, why: `${why}, and setting that up needs root: ${fix}` };
  if (!existsSync(`${FOLDER}/register`)) {
    const mounted = await run("mount", ["-t", "binfmt_misc", "binfmt_misc", FOLDER]);
    if (!mounted.ok) return { usable: false, why: `${why}: ${mounted.failure}` };
    if (existsSync(entry)) return unchanged;
  }
  if (findCommands(program).length === 0) {
    try {
      await aptInstall(["qemu-user-static"], `running programs for ${architecture}`, progress);
    } catch (error) {
      return { usable: false, why: `${why}: ${(error as Error).message}` };
    }
    // The package registers itself if binfmt-support or systemd is installed.
    if (existsSync(entry)) return unchanged;
  }
  // F: opens the emulator now, so that containers do not need it.
  await writeFile(
    `${FOLDER}/register`,
    `:${name}:M::${MAGIC}${machine}:${MASK}:${findCommands(program)[0] ?? ""}:F`,
  );
  if (!(await readFile(entry, "utf8")).startsWith("enabled"))
    return { usable: false, why: `${why}: ${entry} is not enabled` };
  return { usable: true, remove: () => writeFile(entry, "-1") };
}

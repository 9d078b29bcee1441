import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { findCommands } from "../lib/files.ts";
import type { Progress } from "../lib/progress.ts";
import { run } from "../lib/run-command.ts";
import { aptInstall } from "./apt.ts";
import type { Architecture } from "./debian-root.ts";

const FOLDER = "/proc/sys/fs/binfmt_misc";

/** How QEMU's emulators and Linux's programs of an architecture are recognized. */
const EMULATORS = {
  amd64: { name: "qemu-x86_64", program: "qemu-x86_64-static", machine: "\\x3e\\x00" },
  arm64: { name: "qemu-aarch64", program: "qemu-aarch64-static", machine: "\\xb7\\x00" },
} as const;

/** An ELF executable or library of 64 bits; the machine follows. */
const MAGIC = "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00";
const MASK = "\\xff".repeat(7) + "\\x00" + "\\xff".repeat(8) + "\\xfe\\xff\\xff\\xff";

/** Whether this machine runs programs of another architecture, and what takes back what was done for it. */
export type Emulation = { usable: true; remove: () => Promise<void> } | { usable: false; why: string };

/**
 * Lets this machine run programs of another architecture, in containers too, by Debian's `qemu-user-static`. It lasts
 * until `remove` or the next start of the machine; a machine that does so already stays as it is.
 */
export async function ensureEmulation(architecture: Architecture, progress: Progress): Promise<Emulation> {
  const { name, program, machine } = EMULATORS[architecture];
  const entry = `${FOLDER}/${name}`;
  const left = { usable: true, remove: () => Promise.resolve() } as const;
  if (existsSync(entry)) return left;
  const why = `this machine does not run programs for ${architecture}`;
  const fix = "docker run --privileged --rm tonistiigi/binfmt --install all";
  if (process.getuid?.() !== 0)
    return { usable: false, why: `${why}, and setting that up needs root: ${fix}` };
  if (!existsSync(`${FOLDER}/register`)) {
    const mounted = await run("mount", ["-t", "binfmt_misc", "binfmt_misc", FOLDER]);
    if (!mounted.ok) return { usable: false, why: `${why}: ${mounted.failure}` };
    if (existsSync(entry)) return left;
  }
  if (findCommands(program).length === 0) {
    try {
      await aptInstall(["qemu-user-static"], `running programs for ${architecture}`, progress);
    } catch (error) {
      return { usable: false, why: `${why}: ${(error as Error).message}` };
    }
    // The package registers itself where binfmt-support or systemd is there.
    if (existsSync(entry)) return left;
  }
  // F: the emulator is opened now, so that containers need not have it.
  await writeFile(
    `${FOLDER}/register`,
    `:${name}:M::${MAGIC}${machine}:${MASK}:${findCommands(program)[0] ?? ""}:F`,
  );
  if (!(await readFile(entry, "utf8")).startsWith("enabled"))
    return { usable: false, why: `${why}: ${entry} is not enabled` };
  return { usable: true, remove: () => writeFile(entry, "-1") };
}

import { readFileSync } from "node:fs";
import { systemPath } from "../../lib/files.ts";
import { run } from "../../lib/run-command.ts";
import { allProcesses, childrenOf, commandLine, signal, waitUntil } from "../../lib/processes.ts";

/**
 * Removes what a killed engine left: processes with one of `folders` in their command line (containerd and its shims), their
 * containers, processes whose root file system is in one of `folders` (build steps), and mounts.
 */
export async function removeLeftovers(folders: string[]): Promise<void> {
  const mine = () => allProcesses().filter((pid) => belongsTo(pid, folders));
  for (const pid of mine()) {
    for (const child of childrenOf(pid)) signal(child, "SIGKILL");
    signal(pid, "SIGKILL");
  }
  await waitUntil(() => mine().length === 0, 5_000);
  for (const mount of mountsBelow(readFileSync("/proc/self/mountinfo", "utf8"), folders))
    await run("umount", ["-l", mount], { env: { PATH: systemPath() } });
}

function belongsTo(pid: number, folders: string[]): boolean {
  if (pid === process.pid || pid === process.ppid) return false;
  const words = commandLine(pid);
  const program = words.split(" ")[0] ?? "";
  if (/(^|\/)(containerd|containerd-shim[\w.-]*|dockerd|docker-proxy|runc)$/.test(program))
    return folders.some((folder) => words.includes(`${folder}/`));
  return rootLiesIn(pid, folders);
}

/** A container's root is an overlay mount, whose options name the layers. */
function rootLiesIn(pid: number, folders: string[]): boolean {
  let mounts: string;
  try {
    mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
  } catch {
    return false;
  }
  const root = mounts.split("\n").find((line) => line.split(" ")[4] === "/");
  return root !== undefined && folders.some((folder) => root.includes(`${folder}/`));
}

/** Mount points below `folders` in the content of a `mountinfo` file, the innermost first. */
export function mountsBelow(mountinfo: string, folders: string[]): string[] {
  return mountinfo
    .split("\n")
    .map((line) => unescape(line.split(" ")[4] ?? ""))
    .filter((point) => folders.some((folder) => point === folder || point.startsWith(`${folder}/`)))
    .reverse();
}

/** The kernel writes space, tab, newline and backslash as octal numbers. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

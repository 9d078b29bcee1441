import { expect } from "vitest";
import type { Sandbox } from "./sandbox.ts";

/** Makes a folder read-only while `work` runs. */
export async function whileReadOnly<T>(sandbox: Sandbox, folder: string, work: () => Promise<T>): Promise<T> {
  const run = async (...[name, ...args]: [string, ...string[]]): Promise<void> => {
    const { code, output } = await sandbox.command(name, args);
    expect(code, output).toBe(0);
  };
  const isRoot = process.getuid?.() === 0;
  // Modes do not apply to root.
  if (isRoot) {
    await run("mount", "--bind", folder, folder);
    await run("mount", "-o", "remount,ro,bind", folder);
  } else await run("chmod", "-R", "a-w", folder);
  try {
    return await work();
  } finally {
    if (isRoot) await run("umount", "--lazy", folder);
    else await run("chmod", "-R", "u+w", folder);
  }
}

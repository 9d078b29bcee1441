import { type Leak, SecretsWatch } from "./watch.ts";

let enabled = false;
const watches = new Map<string, SecretsWatch>();

/** Turns the watch on. */
export function watchSandboxes(): void {
  enabled = true;
}

/** Watches the sandbox in `root` if the watch is on. Benchmarks leave it off. */
export function watchSandbox(root: string): void {
  if (enabled && !watches.has(root)) watches.set(root, new SecretsWatch(root));
}

/** Records a command of a test in the sandbox in `root`. */
export function noteCommand(root: string, words: readonly string[], output: string): void {
  watches.get(root)?.note(words, output);
}

/** Leaks in the sandbox in `root` since the last scan. */
export async function scanSandbox(root: string): Promise<Leak[]> {
  return (await watches.get(root)?.scan()) ?? [];
}

/** @throws if a watched sandbox has leaks since the last scan. */
export async function checkSandboxes(): Promise<void> {
  for (const watch of watches.values()) await watch.check();
}

/** Ends the watch of the sandbox in `root` after a last check. */
export async function endWatch(root: string): Promise<void> {
  const watch = watches.get(root);
  watches.delete(root);
  await watch?.end();
}

import { type Leak, SecretsWatch } from "./watch.ts";

let enabled = false;
const watches = new Map<string, SecretsWatch>();

/** From now on sandboxes are watched for secrets in the clear. */
export function watchSandboxes(): void {
  enabled = true;
}

/** Watches the sandbox in `root`, in a test run only: a benchmark would measure the watch. */
export function watchSandbox(root: string): void {
  if (enabled && !watches.has(root)) watches.set(root, new SecretsWatch(root));
}

/** Notes a command that a test ran in the sandbox in `root`: its words, and what it printed. */
export function noteCommand(root: string, words: readonly string[], output: string): void {
  watches.get(root)?.note(words, output);
}

/** Everything that leaked in the sandbox in `root` since the last time. */
export async function scanSandbox(root: string): Promise<Leak[]> {
  return (await watches.get(root)?.scan()) ?? [];
}

/** Throws when something leaked in a watched sandbox since the last time. */
export async function checkSandboxes(): Promise<void> {
  for (const watch of watches.values()) await watch.check();
}

/** The last look at the sandbox in `root`, before it is taken down. Throws when something leaked. */
export async function endWatch(root: string): Promise<void> {
  const watch = watches.get(root);
  watches.delete(root);
  await watch?.end();
}

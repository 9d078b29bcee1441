import type { Progress } from "../lib/progress.ts";

/**
 * Runs one step of a longer work and tells the user: `progress` while it goes on, `done` what came of it, in a few
 * words.
 */
export type RunStep = <T>(
  title: string,
  work: (progress: Progress, done: (outcome: string) => void) => Promise<T>,
) => Promise<T>;

/** A line for each step: on a terminal one that changes with the progress, elsewhere with plain lines before it. */
export const tellSteps: RunStep = async (title, work) => {
  const terminal = process.stdout.isTTY && process.stdout.columns > 20;
  const show = (line: string): void => {
    // Longer than the terminal is wide it could not be taken back.
    if (terminal) process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}`);
  };
  let outcome = "done";
  show(`… ${title}`);
  try {
    const result = await work(
      (line) => {
        if (terminal) show(`… ${title}: ${line}`);
        else console.log(`  ${title}: ${line}`);
      },
      (words) => (outcome = words),
    );
    show("");
    console.log(`✔ ${title}: ${outcome}`);
    return result;
  } catch (error) {
    // Whoever called shows the error.
    show("");
    console.log(`✖ ${title}`);
    throw error;
  }
};

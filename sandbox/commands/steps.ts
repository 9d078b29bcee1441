import type { Progress } from "../lib/progress.ts";

/** Runs a step and reports it to the user. `progress` reports its progress, `done` its outcome in a few words. */
export type RunStep = <T>(
  title: string,
  work: (progress: Progress, done: (outcome: string) => void) => Promise<T>,
) => Promise<T>;

/** Prints a line for each step. On a terminal, progress overwrites the line; elsewhere it prints further lines. */
export const printSteps: RunStep = async (title, work) => {
  const terminal = process.stdout.isTTY && process.stdout.columns > 20;
  const show = (line: string): void => {
    // A line that wraps cannot be erased.
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
    // The caller prints the error.
    show("");
    console.log(`✖ ${title}`);
    throw error;
  }
};

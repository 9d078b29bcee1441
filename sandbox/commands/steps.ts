import type { Progress } from "../lib/progress.ts";

/**
 * Runs one step of a longer work and tells the user: `progress` while it goes on, `done` what came of it, in a few
 * words.
 */
export type RunStep = <T>(
  title: string,
  work: (progress: Progress, done: (outcome: string) => void) => Promise<T>,
) => Promise<T>;

/** A line for each step, with progress below it: on a terminal a line that changes, elsewhere plain lines. */
export const tellSteps: RunStep = (title, work) =>
  process.stdout.isTTY && process.stdout.columns > 20 ? onTerminal(title, work) : asLines(title, work);

const onTerminal: RunStep = async (title, work) => {
  const { Listr } = await import("listr2");
  let result: Awaited<ReturnType<typeof work>> | undefined;
  await new Listr(
    [
      {
        title,
        task: async (_, task) => {
          result = await work(
            (line) => (task.output = line),
            (outcome) => (task.title = `${title}: ${outcome}`),
          );
        },
      },
    ],
    // Whoever called shows the error.
    { rendererOptions: { showErrorMessage: false } },
  ).run();
  return result as Awaited<ReturnType<typeof work>>;
};

const asLines: RunStep = async (title, work) => {
  let outcome = "done";
  const result = await work(
    (line) => {
      console.log(`  ${title}: ${line}`);
    },
    (words) => (outcome = words),
  );
  console.log(`✔ ${title}: ${outcome}`);
  return result;
};

import { Listr } from "listr2";
import type { Progress } from "./install/progress";

/**
 * Runs one step of a longer work and tells the user: `progress` while it goes on, `done` what came of it, in a few
 * words.
 */
export type RunStep = <T>(
  title: string,
  work: (progress: Progress, done: (outcome: string) => void) => Promise<T>,
) => Promise<T>;

/** Steps on a terminal: a line each, with progress below it; plain lines elsewhere. */
export const tellSteps: RunStep = async (title, work) => {
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
        rendererOptions: { bottomBar: 1 },
      },
    ],
    { fallbackRenderer: "simple", renderer: "default" },
  ).run();
  return result as Awaited<ReturnType<typeof work>>;
};

/** The same without a word. */
export const quietSteps: RunStep = (_, work) =>
  work(
    () => undefined,
    () => undefined,
  );

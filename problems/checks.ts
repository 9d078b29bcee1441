import { type Problem, problemsError } from "./problem.ts";

/** The result of a check, with the problems that it found. */
export interface Checked<T> {
  found: T;
  problems: Problem[];
}

/**
 * Runs checks side by side.
 *
 * @returns the result of each check, by name.
 * @throws one error for the problems of all checks.
 */
export async function runChecks<T extends object>(checks: {
  [K in keyof T]: Promise<Checked<T[K]>>;
}): Promise<T> {
  const checked = await Promise.all(
    Object.entries<Promise<Checked<unknown>>>(checks).map(
      async ([name, check]) => [name, await check] as const,
    ),
  );
  const problems = checked.flatMap(([, one]) => one.problems);
  if (problems.length > 0) throw problemsError(problems);
  return Object.fromEntries(checked.map(([name, { found }]) => [name, found])) as T;
}

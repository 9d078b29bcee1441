import { type Problem, problemsError } from "./problem.ts";

/** What a look at the world found, and what is wrong with it. */
export interface Checked<T> {
  found: T;
  problems: Problem[];
}

/**
 * Waits for checks that run side by side.
 *
 * @returns what each found, in their order.
 * @throws one error for all of their problems.
 */
export async function allSound<T extends unknown[]>(
  ...checks: { [K in keyof T]: Promise<Checked<T[K]>> }
): Promise<T> {
  const checked: Checked<unknown>[] = await Promise.all(checks);
  const problems = checked.flatMap((one) => one.problems);
  if (problems.length > 0) throw problemsError(problems);
  return checked.map(({ found }) => found) as T;
}

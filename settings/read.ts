import { type Problem, problemsError } from "../problems/problem.ts";
import { parseSettings } from "./parse.ts";
import type { Settings } from "./schema.ts";

/**
 * Reads the settings of the stack.
 *
 * @param check looks at what the settings ask for, as far as they are valid, before any resource is declared.
 * @throws one error with every problem of the settings and of what `check` found.
 */
export async function readSettings(
  check: (settings: Partial<Settings>) => Promise<Problem[]>,
): Promise<Settings> {
  const { settings, problems } = parseSettings();
  problems.push(...(await check(settings)));
  if (problems.length > 0) throw problemsError(problems);
  return settings as Settings;
}

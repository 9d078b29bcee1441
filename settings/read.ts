import { type Problem, problemsError } from "../problems/problem.ts";
import { parseSettings } from "./parse.ts";
import type { Settings } from "./schema.ts";

/**
 * Reads the settings of the stack.
 *
 * @param check a further check of the valid settings.
 * @throws one error for all problems of the settings and of the check.
 */
export async function readSettings(
  check: (settings: Partial<Settings>) => Promise<Problem[]>,
): Promise<Settings> {
  const { settings, problems } = parseSettings();
  problems.push(...(await check(settings)));
  if (problems.length > 0) throw problemsError(problems);
  return settings as Settings;
}

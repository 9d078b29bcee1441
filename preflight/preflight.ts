import { catalogue } from "../catalogue";
import { type Problem, problemsError } from "../problems";
import { parseSettings, type Settings } from "../settings";
import { dockerEngineProblem } from "./dockerEngine";
import { sourceProblems } from "./sources";

/**
 * Reads the settings and looks at the machine, before any resource is declared.
 * @throws one error with every problem that a person can mend.
 */
export async function preflight(): Promise<Settings> {
  const { settings, problems } = parseSettings();
  problems.push(...catalogue.problems);
  if (settings.publishImages) problems.push(...(await buildProblems(settings.sourceDir)));
  if (problems.length > 0) throw problemsError(problems);
  return settings as Settings;
}

async function buildProblems(sourceDir: string | undefined): Promise<Problem[]> {
  const engine = await dockerEngineProblem();
  return [
    ...(sourceDir === undefined ? [] : sourceProblems(sourceDir, catalogue.images)),
    ...(engine === undefined ? [] : [engine]),
  ];
}

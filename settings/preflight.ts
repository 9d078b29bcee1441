import { catalogue } from "../components/images/catalogue.ts";
import { type Problem, problemsError } from "../problems/problem.ts";
import { parseSettings, type Settings } from "./settings.ts";
import { dockerEngineProblem } from "../components/images/check-engine.ts";
import { sourceProblems } from "../components/images/check-sources.ts";

/**
 * Reads the settings and looks at the machine, before any resource is declared.
 * @throws one error with every problem that a person can fix.
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

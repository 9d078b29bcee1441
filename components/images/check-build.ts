import type { Problem } from "../../problems/problem.ts";
import { catalogue } from "./catalogue.ts";
import { dockerEngineProblem } from "./docker/check-engine.ts";
import { sourceProblems } from "./check-sources.ts";

/** What stands in the way of building the images: the catalogue, their sources, the Docker engine. */
export async function checkBuild(build: { publishImages?: boolean; sourceDir?: string }): Promise<Problem[]> {
  const problems = [...catalogue.problems];
  if (build.publishImages !== true) return problems;
  const engine = dockerEngineProblem();
  if (build.sourceDir !== undefined) problems.push(...sourceProblems(build.sourceDir, catalogue.images));
  const missing = await engine;
  return missing === undefined ? problems : [...problems, missing];
}

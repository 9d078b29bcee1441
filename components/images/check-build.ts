import * as pulumi from "@pulumi/pulumi";
import { type Problem, problemBlocks } from "../../problems/problem.ts";
import { catalogue } from "./catalogue.ts";
import { checkSources } from "./check-sources.ts";
import { dockerEngineProblem } from "./docker/check-engine.ts";

/** What of the settings says what is built, and for whom; as far as they are valid. */
export interface BuildSettings {
  publishImages?: boolean;
  sourceDir?: string;
  publicAccess?: boolean;
  version?: string | undefined;
  revision?: string | undefined;
}

/**
 * What stands in the way of building the images: the catalogue, their sources, the Docker engine. Warns of what other
 * machines would build otherwise.
 */
export async function checkBuild(build: BuildSettings): Promise<Problem[]> {
  const { sourceDir, publicAccess: isPublic = false, version, revision } = build;
  if (build.publishImages !== true) return [...catalogue.problems];
  const [engine, sources] = await Promise.all([
    dockerEngineProblem(),
    sourceDir === undefined
      ? undefined
      : checkSources(sourceDir, catalogue.images, { isPublic, version, revision }),
  ]);
  if (sources !== undefined && sources.warnings.length > 0)
    void pulumi.log.warn(
      ["about the sources, which are built as they are:", ...problemBlocks(sources.warnings)].join("\n\n"),
    );
  return [...catalogue.problems, ...(sources?.problems ?? []), ...(engine === undefined ? [] : [engine])];
}

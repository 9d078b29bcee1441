import * as pulumi from "@pulumi/pulumi";
import { type Problem, problemBlocks } from "../../problems/problem.ts";
import { catalogue } from "./catalogue.ts";
import { checkEmulation } from "./sources/check-emulation.ts";
import { checkSources, sourceProblems } from "./sources/check-sources.ts";
import { isPublicRegistry, type RegistrySettings } from "./sources/check-tracking.ts";
import { checkEngine } from "./docker/check-engine.ts";

/** The build settings; invalid ones are undefined. */
export interface BuildSettings extends RegistrySettings {
  publishImages?: boolean;
  sourceDir?: string;
  version?: string | undefined;
  revision?: string | undefined;
  platforms?: readonly string[];
}

/** Checks the catalogue, the sources and the Docker engine. Logs warnings and returns problems. */
export async function checkBuild(build: BuildSettings): Promise<Problem[]> {
  const { sourceDir, version, revision, platforms = [] } = build;
  if (build.publishImages !== true) return [...catalogue.problems];
  const [engine, sources] = await Promise.all([
    checkEngine(),
    sourceDir === undefined
      ? { problems: [], warnings: [] }
      : checkSources(sourceDir, catalogue.images, { isPublic: isPublicRegistry(build), version, revision }),
  ]);
  const canRead = sourceDir !== undefined && sourceProblems(sourceDir, catalogue.images).length === 0;
  const emulation = canRead
    ? await checkEmulation(sourceDir, catalogue.images, platforms, engine.address)
    : { problems: [], warnings: [] };
  warn("about the sources, which are built as they are:", sources.warnings);
  warn("about the Docker engine:", [...engine.warnings, ...emulation.warnings]);
  return [...catalogue.problems, ...sources.problems, ...engine.problems, ...emulation.problems];
}

function warn(about: string, warnings: readonly Problem[]): void {
  if (warnings.length > 0) void pulumi.log.warn([about, ...problemBlocks(warnings)].join("\n\n"));
}

import { accessSync, constants, type Stats, statSync } from "node:fs";
import * as path from "node:path";
import { checkTracking, type Purpose } from "./check-tracking.ts";
import { ignoreFile } from "./ignore-rules.ts";
import type { CatalogueImage } from "../catalogue.ts";
import type { Findings, Problem } from "../../../problems/problem.ts";
import { shellWord, shown, shownName } from "../../../problems/wording.ts";
import { configSet, settingKey } from "../../../problems/setting-commands.ts";

/** Checks the build contexts. If no file is missing, also checks the files that git does not track. */
export async function checkSources(
  sourceDir: string,
  images: readonly CatalogueImage[],
  purpose: Purpose,
): Promise<Findings> {
  const problems = sourceProblems(sourceDir, images);
  return problems.length > 0 ? { problems, warnings: [] } : checkTracking(sourceDir, images, purpose);
}

/** Reports folders and files of the sources that are missing or cannot be read. */
export function sourceProblems(sourceDir: string, images: readonly CatalogueImage[]): Problem[] {
  if (stats(sourceDir)?.isDirectory() !== true) {
    return [
      {
        where: settingKey("sourceDir"),
        found: `${shown(sourceDir)}, which is not a folder`,
        allowed: "the folder of the Hyperion sources, which holds coordinator/",
        fix: configSet("sourceDir", "PATH"),
      },
    ];
  }
  return images.flatMap((image) => imageProblems(sourceDir, image));
}

function imageProblems(sourceDir: string, { name, context, dockerfile }: CatalogueImage): Problem[] {
  const folder = path.join(sourceDir, context);
  const file = path.join(folder, dockerfile);
  if (stats(folder)?.isDirectory() !== true) return [missing(folder, name)];
  if (stats(file) === undefined) return [missing(file, name)];
  const ignored = ignoreFile(folder, file);
  return [
    ...(canBeRead(file) ? [] : [unreadable(file, name, "a Dockerfile that can be read")]),
    ...(ignored === undefined || canBeRead(ignored)
      ? []
      : [unreadable(ignored, name, "an ignore file that can be read, or none")]),
  ];
}

function missing(where: string, image: string): Problem {
  return {
    where: shownName(where),
    found: `no sources of ${image}`,
    allowed: `the layout of images.json below ${settingKey("sourceDir")}`,
    fix: configSet("sourceDir", "PATH"),
  };
}

function unreadable(where: string, image: string, allowed: string): Problem {
  return {
    where: shownName(where),
    found: `${stats(where)?.isFile() === true ? "a file that cannot be read" : "no file"}, among the sources of ${image}`,
    allowed,
    fix: `ls -ld ${shellWord(where)}`,
  };
}

function stats(where: string): Stats | undefined {
  try {
    return statSync(where);
  } catch {
    return undefined;
  }
}

function canBeRead(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return stats(file)?.isFile() === true;
  } catch {
    return false;
  }
}

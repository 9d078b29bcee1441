import { existsSync, statSync } from "node:fs";
import * as path from "node:path";
import type { CatalogueImage } from "../components/publishedImage";
import type { Problem } from "../problems";

/** Build contexts and Dockerfiles of the catalogue that are not in the source folder. */
export function sourceProblems(sourceDir: string, images: readonly CatalogueImage[]): Problem[] {
  if (!isDirectory(sourceDir)) {
    return [
      {
        where: "hyperion-registry:sourceDir",
        found: `"${sourceDir}", where there is no folder`,
        allowed: "the folder of the Hyperion sources, which holds coordinator/",
        mend: "pulumi config set hyperion-registry:sourceDir PATH",
      },
    ];
  }
  return images.flatMap(({ name, context, dockerfile }) => {
    const folder = path.join(sourceDir, context);
    const file = path.join(folder, dockerfile);
    const missing = !isDirectory(folder) ? folder : !existsSync(file) ? file : undefined;
    if (missing === undefined) return [];
    return [
      {
        where: missing,
        found: `nothing, where the sources of ${name} should be`,
        allowed: "the layout of images.json below hyperion-registry:sourceDir",
        mend: "pulumi config set hyperion-registry:sourceDir PATH",
      },
    ];
  });
}

function isDirectory(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

import { readFileSync } from "node:fs";
import * as path from "node:path";

/** A number beside the images, which images.json alone counts. */
const COUNTED = /\b(?:two|three|four|five|six) (?:[\w-]+ ){0,2}images\b/i;

/** Documents that count the images: the day there is one more, they would be wrong. */
export function countViolations(folder: string, files: readonly string[]): string[] {
  return files
    .filter((file) => file.endsWith(".md") || file === "package.json")
    .filter((file) => COUNTED.test(readFileSync(path.join(folder, file), "utf8").replaceAll(/\s+/g, " ")))
    .map((file) => `prose: ${file} counts the images`);
}

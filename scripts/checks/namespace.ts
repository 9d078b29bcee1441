import { readFileSync } from "node:fs";
import * as path from "node:path";
import { NAMESPACE } from "../../problems/setting-commands.ts";

/** The program's code; a test can spell a setting's key as people do. */
const CODE = /^(index|(components|google|problems|settings|scripts|sandbox)\/.*)(?<!\.test)\.ts$/;

const HOME = "problems/setting-commands.ts";

/** Code that repeats the namespace of the settings. */
export function namespaceViolations(folder: string, files: readonly string[]): string[] {
  return files
    .filter((file) => CODE.test(file) && file !== HOME)
    .filter((file) => readFileSync(path.join(folder, file), "utf8").includes(NAMESPACE))
    .map((file) => `namespace: ${file} contains "${NAMESPACE}": use the functions of ${HOME}`);
}

import { PULUMI } from "../../problems/setting-commands.ts";
import { ONE_TIME } from "../../settings/one-time.ts";
import { StackSettings } from "../../settings/stack-settings.ts";

/** Settings for one run in a stack's file: the next run, also in CI, would repeat them. */
export function oneTimeViolations(folder: string, files: readonly string[]): string[] {
  return files
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .flatMap((stack) => {
      const settings = new StackSettings(folder, stack);
      return Object.keys(ONE_TIME)
        .filter((key) => settings.sets(key))
        .map(
          (key) =>
            `one run: Pulumi.${stack}.yaml has ${key}, a setting for one run: ${PULUMI} config rm ${key} --stack ${stack}`,
        );
    });
}

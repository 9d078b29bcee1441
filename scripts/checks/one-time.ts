import { PULUMI } from "../../problems/setting-commands.ts";
import { ONE_TIME } from "../../settings/one-time.ts";
import { StackSettings } from "../../settings/stack-settings.ts";

/** Settings for one run that are in the file of a stack: the next run, CI's too, would do them again. */
export function oneTimeViolations(folder: string, files: readonly string[]): string[] {
  return files
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .flatMap((stack) => {
      const settings = new StackSettings(folder, stack);
      return Object.keys(ONE_TIME)
        .filter((key) => settings.sets(key))
        .map(
          (key) =>
            `one run: Pulumi.${stack}.yaml has ${key}, which is for one run: ${PULUMI} config rm ${key} --stack ${stack}`,
        );
    });
}

import { PULUMI } from "../../problems/setting-commands.ts";
import { StackSettings } from "../../settings/stack-settings.ts";

/** Settings that both stacks of a registry share. */
const PLACE = ["gcp:project", "gcp:region", "repositoryId"];

/**
 * Contradictions between `Pulumi.<stack>-images.yaml` and the stack that manages its registry, and stacks with which the gcp
 * plugin requests Compute Engine's regions at every start.
 */
export function stackViolations(folder: string, files: readonly string[]): string[] {
  const asking = files
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .filter((stack) => new StackSettings(folder, stack).find("gcp:skipRegionValidation") !== "true")
    .map((stack) => `stacks: ${stack}: ${PULUMI} config set gcp:skipRegionValidation true --stack ${stack}`);
  const differing = files
    .flatMap((file) => /^Pulumi\.(.+)-images\.yaml$/.exec(file)?.[1] ?? [])
    .flatMap((stack) => {
      const registry = new StackSettings(folder, stack);
      const images = new StackSettings(folder, `${stack}-images`);
      const differ = PLACE.filter((key) => registry.text(key) !== images.text(key));
      return [
        ...differ.map((key) => `stacks: ${stack} and ${stack}-images differ in ${key}`),
        ...(registry.flag("publishImages")
          ? [`stacks: ${stack} publishes images, and so does ${stack}-images`]
          : []),
        ...(images.flag("manageRegistry")
          ? [`stacks: ${stack}-images manages the registry, and so does ${stack}`]
          : []),
      ];
    });
  return [...asking, ...differing];
}

import { PULUMI } from "../../problems/setting-commands.ts";
import { StackSettings } from "../../settings/stack-settings.ts";

/** What two stacks of one registry have to say alike. */
const PLACE = ["gcp:project", "gcp:region", "repositoryId"];

/**
 * Of each `Pulumi.<stack>-images.yaml` the stack that manages its registry, where the two do not fit; and each stack with
 * which the gcp plugin asks for Compute Engine's regions whenever it starts.
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
          ? [`stacks: ${stack} publishes images, as ${stack}-images does`]
          : []),
        ...(images.flag("manageRegistry")
          ? [`stacks: ${stack}-images manages the registry, as ${stack} does`]
          : []),
      ];
    });
  return [...asking, ...differing];
}

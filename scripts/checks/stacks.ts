import { StackSettings } from "../../settings/stack-settings.ts";

/** What two stacks of one registry have to say alike. */
const PLACE = ["gcp:project", "gcp:region", "repositoryId"];

/** Of each `Pulumi.<stack>-images.yaml` the stack that manages its registry, where the two do not fit. */
export function stackViolations(folder: string, files: readonly string[]): string[] {
  return files
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
}

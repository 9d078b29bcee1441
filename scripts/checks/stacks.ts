import { PULUMI } from "../../problems/setting-commands.ts";
import { ONE_TIME } from "../../settings/one-time.ts";
import { StackSettings } from "../../settings/stack-settings.ts";

/** Settings that both stacks of a registry share. */
const PLACE = ["gcp:project", "gcp:region", "repositoryId"];

/** Violations in `Pulumi.<stack>.yaml` files. */
export function stackViolations(folder: string, files: readonly string[]): string[] {
  const stacks = new Map(
    files
      .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
      .map((stack) => [stack, new StackSettings(folder, stack)]),
  );
  return [...stacks].flatMap(([stack, settings]) => {
    const images = stacks.get(`${stack}-images`);
    return [
      ...stackProblems(stack, settings),
      ...(images === undefined ? [] : contradictions(stack, settings, images)),
    ];
  });
}

/**
 * Settings for one run, which the next run, also in CI, would repeat, and a stack with which the gcp plugin requests Compute Engine's
 * regions at every start.
 */
function stackProblems(stack: string, settings: StackSettings): string[] {
  const pulumi = (command: string): string =>
    `stacks: ${stack}: ${PULUMI} config ${command} --stack ${stack}`;
  return [
    ...Object.keys(ONE_TIME)
      .filter((key) => settings.sets(key))
      .map((key) => `${pulumi(`rm ${key}`)}   # a setting for one run`),
    ...(settings.find("gcp:skipRegionValidation") === "true"
      ? []
      : [pulumi("set gcp:skipRegionValidation true")]),
  ];
}

/** Contradictions between the stack that manages a registry and the one that publishes images to it. */
function contradictions(stack: string, registry: StackSettings, images: StackSettings): string[] {
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
}

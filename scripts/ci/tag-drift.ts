import { describeChanges, lineNotes, movedTagNotes } from "../../components/images/tags/messages.ts";
import { BUILD_TAG, type Line, lines } from "../../components/images/tags/names.ts";
import { TagRun } from "../../components/images/tags/run.ts";
import { setTags } from "../../components/images/tags/set-tags.ts";
import { TagCopy } from "../../components/images/tags/store.ts";
import {
  isWithdrawn,
  type RegistryTags,
  startedVersions,
  versionDigests,
} from "../../components/images/tags/versions.ts";
import { PULUMI } from "../../problems/setting-commands.ts";
import { StackSettings } from "../../settings/stack-settings.ts";
import { ownTagStore, stackRepository } from "../lib/own-registry.ts";
import { codeList } from "./markdown.ts";

/**
 * The wrong tags of a stack's registry, in Markdown; empty if there are none.
 *
 * @throws one error if the registry does not answer.
 */
export async function tagDriftReport(projectFolder: string, stack: string): Promise<string> {
  const settings = new StackSettings(projectFolder, stack);
  const registry = await ownTagStore(stackRepository(settings)).read();
  const found = await tagDrift(registry, settings.text("version") || undefined);
  if (found.length === 0) return "";
  return `**Wrong tags**:\n\n${codeList(found)}\nCorrect them: \`${PULUMI} up --stack ${stack}\`, or \`npm run release\`.\n`;
}

/**
 * The changes that a run with the stack's version would make from the registry's builds, its moved own tags, and the wrong
 * floating tags; a line for each image.
 */
export async function tagDrift(registry: RegistryTags, version: string | undefined): Promise<string[]> {
  const copy = new TagCopy(registry);
  const digests = version === undefined ? undefined : versionDigests(registry, version);
  const builds = new Map(
    [...registry].flatMap(([image, tags]) => {
      const digest = digests?.get(image) ?? tags.get(BUILD_TAG);
      return digest === undefined ? [] : [[image, { digest, platforms: new Map<string, string>() }] as const];
    }),
  );
  if (version !== undefined && builds.size > 0)
    await setTags(copy, { registry, release: { version }, builds });
  const all = allLines(registry);
  await new TagRun(copy, await copy.read()).settle(all);
  const after = await copy.read();
  const moved = version === undefined || isWithdrawn(after, version) ? [] : movedTagNotes(after, version);
  return [...describeChanges({ before: registry, after }), ...moved, ...lineNotes(after, all)];
}

/** The lines of all versions in the registry. */
function allLines(registry: RegistryTags): Line[] {
  const found = startedVersions(registry).flatMap(({ version }) => lines(version));
  return [...new Map(found.map((line) => [line.tag, line])).values()];
}

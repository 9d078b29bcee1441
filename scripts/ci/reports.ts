import { z } from "zod";
import { PUBLIC_ANYWAY } from "../../components/access/public-grants.ts";
import { PULUMI } from "../../problems/setting-commands.ts";
import { codeBlock, codeList, shortened } from "./markdown.ts";
import { describe, isBookkeeping, type Preview } from "./preview.ts";

/** A preview, and stderr, which has the errors that are missing in the preview. */
export interface Previewed {
  preview: Preview;
  stderr: string;
}

/** The comment for a pull request, in Markdown: the changes to the infrastructure, and the images that main would publish. */
export function previewComment(registry: Previewed, images: Previewed): string {
  const changes = (of: Previewed): string[] =>
    of.preview.changes.filter((change) => !isBookkeeping(change)).map(describe);
  const infrastructure = changes(registry);
  const published = [...changes(images), ...images.preview.notes];
  const parts = [
    failure("The preview of the infrastructure failed.", registry) ??
      (infrastructure.length === 0
        ? "No infrastructure changes.\n"
        : `**Infrastructure**, to be applied by a maintainer (\`${PULUMI} up --stack production\`):\n\n${codeList(infrastructure)}`),
    failure("The preview of the images failed: this cannot be published.", images) ??
      (published.length === 0
        ? "Images and tags stay as they are.\n"
        : `<details><summary>Images and tags: ${published.length} changes, published on merge</summary>\n\n${codeList(published)}\n</details>\n`),
  ];
  return shortened(`### What this changes in production\n\n${parts.join("\n")}`);
}

function failure(title: string, { preview, stderr }: Previewed): string | undefined {
  if (preview.errors.length === 0) return undefined;
  return `${title}\n\n${codeBlock([...preview.errors, stderr.trim()].filter(Boolean).join("\n\n"))}`;
}

/**
 * The report about drift, in Markdown; empty if there is none.
 *
 * @param refresh the differences between the cloud and the state.
 * @param preview the differences between the state and the program.
 * @throws if one of the two failed.
 */
export function driftReport(refresh: Preview, preview: Preview): string {
  const errors = [...refresh.errors, ...preview.errors];
  if (errors.length > 0) throw new Error(`Whether there is drift is unknown:\n${errors.join("\n")}`);
  const drifted = refresh.changes.map(describe);
  const unapplied = preview.changes.filter((change) => !isBookkeeping(change)).map(describe);
  // A refresh does not see a binding that is not in the state.
  const open = preview.warnings.filter((warning) => warning.includes(PUBLIC_ANYWAY));
  if (drifted.length + unapplied.length + open.length === 0) return "";
  const parts = [];
  if (drifted.length > 0) {
    parts.push(
      `**Changed outside the stack** (the updates that Pulumi would make to its state):\n\n${codeList(drifted)}\n` +
        `Is the change intended? Then write it into the settings. Otherwise, undo it: \`${PULUMI} up --refresh\`.\n`,
    );
  }
  if (unapplied.length > 0) {
    parts.push(`**Not applied yet**:\n\n${codeList(unapplied)}\nApply it: \`${PULUMI} up\`.\n`);
  }
  if (open.length > 0)
    parts.push(`**Public by a binding that the stack did not make**:\n\n${codeList(open)}`);
  return shortened(parts.join("\n"));
}

/** The stack's output `images`, as `pulumi stack output images --json` prints it. */
const imagesOutput = z.record(
  z.string(),
  z.object({ digest: z.string(), reference: z.string(), tags: z.array(z.string()) }),
);

/** The published images as a table in Markdown. */
export function releaseSummary(output: string): string {
  const rows = Object.values(imagesOutput.parse(JSON.parse(output))).flatMap(
    ({ digest, reference, tags }) => {
      const repository = reference.replace(/@.*/, "");
      return tags.map((tag) => `| \`${repository}:${tag}\` | \`${digest}\` |\n`);
    },
  );
  return `### Published\n\n| reference | digest |\n| --- | --- |\n${rows.join("")}`;
}

import { z } from "zod";
import { PUBLIC_ANYWAY } from "../../components/access/public-grants.ts";
import { codeBlock, codeList, shortened } from "./markdown.ts";
import { describe, isAboutImages, type Preview } from "./preview.ts";

/**
 * The comment on a pull request, in Markdown: what applying it would change.
 * @param stderr what Pulumi printed beside the preview, for errors that the preview does not have.
 */
export function previewComment(preview: Preview, stderr: string): string {
  const title = "### What this changes in production\n\n";
  if (preview.errors.length > 0) {
    const text = [...preview.errors, stderr.trim()].filter(Boolean).join("\n\n");
    return shortened(`${title}The preview failed.\n\n${codeBlock(text)}`);
  }
  const infrastructure = preview.changes.filter((change) => !isAboutImages(change)).map(describe);
  const images = preview.changes.filter(isAboutImages).map(describe);
  const body = [
    infrastructure.length === 0
      ? "No infrastructure changes.\n"
      : `**Infrastructure**, to be applied by a maintainer before the images can be published:\n\n${codeList(infrastructure)}`,
    images.length === 0
      ? "Images and tags stay as they are.\n"
      : `<details><summary>Images and tags: ${images.length} changes, published on merge</summary>\n\n${codeList(images)}\n</details>\n`,
  ];
  return shortened(title + body.join("\n"));
}

/**
 * The issue about drift, in Markdown; empty when there is none.
 * @param refresh what differs between the cloud and the state.
 * @param preview what differs between the state and the program.
 * @throws when one of the two failed.
 */
export function driftReport(refresh: Preview, preview: Preview): string {
  const errors = [...refresh.errors, ...preview.errors];
  if (errors.length > 0) throw new Error(`Whether there is drift is unknown:\n${errors.join("\n")}`);
  // Whether an image is in the local engine says nothing about production.
  const local = ["docker:index/remoteImage:RemoteImage", "docker:index/tag:Tag"];
  const drifted = refresh.changes.filter(({ type }) => !local.includes(type)).map(describe);
  // What images and tags are to be is said by the release, which the workflow that publishes sets.
  const unapplied = preview.changes.filter((change) => !isAboutImages(change)).map(describe);
  // A binding of somebody else's is in no state, so that a refresh does not see it.
  const open = preview.warnings.filter((warning) => warning.includes(PUBLIC_ANYWAY));
  if (drifted.length + unapplied.length + open.length === 0) return "";
  const parts = [];
  if (drifted.length > 0) {
    parts.push(
      `**Changed outside the stack** (Pulumi's words for what it would note in its state):\n\n${codeList(drifted)}\n` +
        "If it was meant, write it into the settings; if not, `pulumi up --refresh` puts it back.\n",
    );
  }
  if (unapplied.length > 0) {
    parts.push(`**In the program and not applied**:\n\n${codeList(unapplied)}\nApply it: \`pulumi up\`.\n`);
  }
  if (open.length > 0) parts.push(`**Public by somebody else's binding**:\n\n${codeList(open)}`);
  return shortened(parts.join("\n"));
}

/**
 * Says that only images and tags would change.
 * @throws when more would, or when the preview failed.
 */
export function imagesOnlyReport({ changes, errors }: Preview): string {
  if (errors.length > 0) throw new Error(`The preview failed; nothing is published.\n${errors.join("\n")}`);
  const others = changes.filter((change) => !isAboutImages(change));
  if (others.length > 0) {
    throw new Error(
      `More than images and tags would change; nothing is published:\n${others.map((change) => `  ${describe(change)}\n`).join("")}` +
        "Infrastructure is applied by a maintainer: pulumi up --stack production. Then run this again.",
    );
  }
  return changes.length === 0
    ? "Nothing would change.\n"
    : `Only images and tags change: ${changes.length} changes.\n`;
}

/** The stack's output `images`, as `pulumi stack output images --json` prints it. */
const imagesOutput = z.record(
  z.string(),
  z.object({ digest: z.string(), reference: z.string(), tags: z.array(z.string()) }),
);

/** What was published as a table in Markdown. */
export function releaseSummary(output: string): string {
  const rows = Object.values(imagesOutput.parse(JSON.parse(output))).flatMap(
    ({ digest, reference, tags }) => {
      const repository = reference.replace(/@.*/, "");
      return tags.map((tag) => `| \`${repository}:${tag}\` | \`${digest}\` |\n`);
    },
  );
  return `### Published\n\n| reference | digest |\n| --- | --- |\n${rows.join("")}`;
}

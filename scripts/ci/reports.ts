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
 */
export function driftReport(refresh: Preview, preview: Preview): string {
  // Whether an image is in the local engine says nothing about production.
  const local = ["docker:index/remoteImage:RemoteImage", "docker:index/tag:Tag"];
  const drifted = refresh.changes.filter(({ type }) => !local.includes(type)).map(describe);
  // What images and tags are to be is said by the release, which the workflow that publishes sets.
  const unapplied = preview.changes.filter((change) => !isAboutImages(change)).map(describe);
  if (drifted.length + unapplied.length === 0) return "";
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
  return shortened(parts.join("\n"));
}

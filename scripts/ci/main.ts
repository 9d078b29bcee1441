// What the workflows ask of this project: node scripts/ci/main.ts SUBCOMMAND
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import { imagesInStateReport } from "./images-in-state.ts";
import { readPreview } from "./preview.ts";
import { gitState, releaseSettings } from "./release-settings.ts";
import { driftReport, previewComment, type Previewed, releaseSummary } from "./reports.ts";
import { settingKey } from "../../problems/setting-commands.ts";
import { tagDriftReport } from "./tag-drift.ts";

const root = path.resolve(import.meta.dirname, "../..");

const read = (file: string): string => readFileSync(file, "utf8");
const input = (): Promise<string> => text(process.stdin);
const print = (output: string): void => void process.stdout.write(output);

const program = new Command("scripts/ci/main.ts").description("What the workflows ask of this project.");

program
  .command("drift-report <refresh.json> [preview.json]")
  .description("print the issue about drift in Markdown, or nothing")
  .action((refresh: string, preview: string | undefined) => {
    const none = { changes: [], errors: [], warnings: [], notes: [] };
    print(driftReport(readPreview(read(refresh)), preview === undefined ? none : readPreview(read(preview))));
  });

program
  .command("only-images-in-state")
  .description(
    "read `pulumi stack export` on stdin; fail where it holds more than a stack of images alone makes",
  )
  .action(async () => {
    print(imagesInStateReport(await input()));
  });

program
  .command("tag-drift <stack>")
  .description("print the tags that are not as the stack's file and the rules say, in Markdown, or nothing")
  .action(async (stack: string) => {
    print(await tagDriftReport(process.env["HYPERION_PROJECT_DIR"] ?? root, stack));
  });

program
  .command("preview-comment <registry> <images>")
  .description(
    "print the comment on a pull request in Markdown, from STACK.json and STACK.err of both stacks",
  )
  .action((registry: string, images: string) => {
    const previewed = (stack: string): Previewed => ({
      preview: readPreview(read(`${stack}.json`)),
      stderr: read(`${stack}.err`),
    });
    print(previewComment(previewed(registry), previewed(images)));
  });

program
  .command("release-settings <ref> <commit> [remote]")
  .description(
    "print all that says what a ref publishes, `KEY VALUE` a line; without a remote to ask the commit counts as the tip",
  )
  .action((ref: string, commit: string, remote: string | undefined) => {
    const settings = Object.entries(releaseSettings(gitState(ref, commit, remote)));
    print(settings.map(([key, value]) => `${settingKey(key)} ${value}\n`).join(""));
  });

program
  .command("release-summary")
  .description("read `pulumi stack output images --json` on stdin; print what was published in Markdown")
  .action(async () => {
    print(releaseSummary(await input()));
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

// What the workflows ask of this project: node scripts/ci/main.ts SUBCOMMAND
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import { attestable } from "./attestable.ts";
import { driftIssue, MARKER } from "./drift-issue.ts";
import { githubRelease } from "./github-release.ts";
import { imagesInStateReport } from "./images-in-state.ts";
import { addToSummary, ofJob, setOutput } from "./job.ts";
import { readPreview } from "./preview.ts";
import { type Checkout, gitState, releaseSettings, sourcesCheckout } from "./release-settings.ts";
import { driftReport, previewComment, type Previewed, releaseSummary } from "./reports.ts";
import { StackSettings } from "../../settings/stack-settings.ts";
import { settingKey } from "../../problems/setting-commands.ts";
import { tagDriftReport } from "./tag-drift.ts";
import { versionFacts } from "./version-facts.ts";

const root = path.resolve(import.meta.dirname, "../..");

const read = (file: string): string => readFileSync(file, "utf8");
const input = (): Promise<string> => text(process.stdin);
const print = (output: string): void => void process.stdout.write(output);

/** The settings of what is checked out, each worded, with these besides. */
function settingsOf(
  checkout: Checkout,
  word: (setting: [string, string]) => string,
  more: Record<string, string> = {},
): string {
  const settings = { ...releaseSettings(gitState(checkout)), ...more };
  return Object.entries(settings)
    .map(([key, value]) => word([settingKey(key), value]))
    .join("");
}

const program = new Command("scripts/ci/main.ts").description("What the workflows ask of this project.");

/** Prints a report; an output of the job with this name has it too, and the job's summary. */
function report(text: string, { output }: { output?: string }): void {
  print(text);
  if (output === undefined) return;
  addToSummary(text);
  setOutput(output, text);
}

program
  .command("drift-issue")
  .description(
    "give the job's outputs what the issue about drift is to say: `title` and `body`, or `comment` to close it. Takes what " +
      "was found in REPORT and IMAGES_REPORT, and whether all could be looked at in LOOKED",
  )
  .action(async () => {
    const { getOctokit, context } = await import("@actions/github");
    const github = getOctokit(ofJob("GITHUB_TOKEN"));
    const open = await github.paginate("GET /repos/{owner}/{repo}/issues", {
      ...context.repo,
      creator: "github-actions[bot]",
    });
    const found = {
      reports: ofJob("LOOKED") === "true" ? [ofJob("REPORT"), ofJob("IMAGES_REPORT")] : undefined,
      before: open.find(({ body }) => body?.startsWith(MARKER))?.body ?? undefined,
      run: `${context.serverUrl}/${ofJob("GITHUB_REPOSITORY")}/actions/runs/${context.runId}`,
      now: new Date(),
    };
    for (const [name, text] of Object.entries(driftIssue(found))) setOutput(name, text);
  });

program
  .command("drift-report <refresh.json> <preview.json>")
  .option("--output <name>", "give it to the job too")
  .description("print what differs from the stack in Markdown, or nothing")
  .action((refresh: string, preview: string, options: { output?: string }) => {
    report(driftReport(readPreview(read(refresh)), readPreview(read(preview))), options);
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
  .option("--output <name>", "give it to the job too")
  .description("print the tags that are not as the stack's file and the rules say, in Markdown, or nothing")
  .action(async (stack: string, options: { output?: string }) => {
    report(await tagDriftReport(process.env["HYPERION_PROJECT_DIR"] ?? root, stack), options);
  });

program
  .command("preview-comment <registry> <images>")
  .option("--output <name>", "give it to the job too")
  .description(
    "print the comment on a pull request in Markdown, from STACK.json and STACK.err of both stacks",
  )
  .action((registry: string, images: string, options: { output?: string }) => {
    const previewed = (stack: string): Previewed => ({
      preview: readPreview(read(`${stack}.json`)),
      stderr: read(`${stack}.err`),
    });
    report(previewComment(previewed(registry), previewed(images)), options);
  });

program
  .command("release-settings <ref> <commit> [remote]")
  .description(
    "print all that says what a ref publishes, `KEY VALUE` a line; without a remote to ask the commit counts as the tip",
  )
  .action((ref: string, commit: string, remote: string | undefined) => {
    print(settingsOf({ ref, commit, remote }, ([key, value]) => `${key} ${value}\n`));
  });

program
  .command("run-options <ref> <commit> [remote]")
  .description(
    "print the same as options of pulumi, a word a line, with what else a workflow sets for a run. Where SOURCES_FOLDER has " +
      "the sources, which SOURCES_REMOTE is asked for, a branch publishes what is checked out there",
  )
  .action((ref: string, commit: string, remote: string | undefined) => {
    const { SOURCES_FOLDER: folder = "", SOURCES_REMOTE } = process.env;
    const checkout =
      folder === "" || ref.startsWith("refs/tags/")
        ? { ref, commit, remote }
        : sourcesCheckout(folder, remote === undefined ? undefined : SOURCES_REMOTE);
    // The machine is empty: layers come from the last published build.
    const more = { buildCache: "registry", ...(folder !== "" && { sourceDir: folder }) };
    print(settingsOf(checkout, ([key, value]) => `--config\n${key}=${value}\n`, more));
  });

program
  .command("release-summary")
  .description("read `pulumi stack output images --json` on stdin; print what was published in Markdown")
  .action(async () => {
    print(releaseSummary(await input()));
  });

program
  .command("built-images <stack> <run> <folder>")
  .description(
    "give the job's outputs what the run built: `subjects`, a line for each image to attest, and `sboms`, of each platform " +
      "the SBOM that SYFT wrote into the folder, in JSON",
  )
  .action(async (stack: string, run: string, folder: string) => {
    const { subjects, sboms } = await attestable(root, stack, run, folder, ofJob("SYFT"));
    setOutput("subjects", subjects);
    setOutput("sboms", JSON.stringify(sboms));
  });

program
  .command("github-release <stack> <tag>")
  .description(
    "give the job's output `release` what the release of a published tag at GitHub is to say, in JSON. Takes what the run " +
      "built in BUILT; of the rest it asks GitHub for an attestation",
  )
  .action(async (stack: string, tag: string) => {
    const repository = `${ofJob("GITHUB_SERVER_URL")}/${ofJob("GITHUB_REPOSITORY")}`;
    const facts = await versionFacts(
      new StackSettings(root, stack),
      tag.replace(/^v/, ""),
      repository,
      ofJob("BUILT"),
    );
    setOutput("release", JSON.stringify(githubRelease(facts)));
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

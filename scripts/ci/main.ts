// Commands for the workflows: node scripts/ci/main.ts SUBCOMMAND
// First: it halves the load time of the imports below.
import "../../start/start.cjs";
import { appendFileSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import { attestable } from "./attestable.ts";
import { driftIssue, MARKER } from "./drift-issue.ts";
import { githubRelease } from "./github-release.ts";
import { imagesInStateReport } from "./images-in-state.ts";
import { ofJob, setOutput } from "./job.ts";
import { readPreview } from "./preview.ts";
import { type Checkout, gitState, publishedCheckout, releaseSettings } from "./release-settings.ts";
import { driftReport, previewComment, type Previewed, releaseSummary } from "./reports.ts";
import { StackSettings } from "../../settings/stack-settings.ts";
import { settingKey } from "../../problems/setting-commands.ts";
import { messageOf } from "../../problems/wording.ts";
import { tagDriftReport } from "./tag-drift.ts";
import { versionFacts } from "./version-facts.ts";
import { projectFolder, root } from "../lib/folders.ts";

const read = (file: string): string => readFileSync(file, "utf8");
const input = (): Promise<string> => text(process.stdin);
const print = (output: string): void => void process.stdout.write(output);

/** The settings of a checkout and `more`, formatted. */
function settingsOf(
  checkout: Checkout,
  format: (setting: [string, string]) => string,
  more: Record<string, string> = {},
): string {
  const settings = { ...releaseSettings(gitState(checkout)), ...more };
  return Object.entries(settings)
    .map(([key, value]) => format([settingKey(key), value]))
    .join("");
}

const program = new Command("scripts/ci/main.ts").description("Commands for the workflows.");

/** Prints a report. With `output`, also adds it to that job output and to the job's summary. */
function report(text: string, { output }: { output?: string }): void {
  print(text);
  if (output === undefined) return;
  appendFileSync(ofJob("GITHUB_STEP_SUMMARY"), `${text}\n`);
  setOutput(output, text);
}

program
  .command("drift-issue")
  .description(
    "set the job outputs `title` and `body` for the issue about drift, or `comment` to close it. Reads the reports from REPORT " +
      "and IMAGES_REPORT, and from LOOKED whether both jobs finished",
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
  .option("--output <name>", "also set this job output")
  .description("print the differences from the stack in Markdown, if any")
  .action((refresh: string, preview: string, options: { output?: string }) => {
    report(driftReport(readPreview(read(refresh)), readPreview(read(preview))), options);
  });

program
  .command("only-images-in-state")
  .description(
    "read `pulumi stack export` on stdin; fail if it holds anything that a stack of images does not make",
  )
  .action(async () => {
    print(imagesInStateReport(await input()));
  });

program
  .command("tag-drift <stack>")
  .option("--output <name>", "also set this job output")
  .description("print the tags that differ from the stack's file and the tag rules in Markdown, if any")
  .action(async (stack: string, options: { output?: string }) => {
    report(await tagDriftReport(projectFolder, stack), options);
  });

program
  .command("preview-comment <registry> <images>")
  .option("--output <name>", "also set this job output")
  .description(
    "print the comment for a pull request in Markdown, from STACK.json and STACK.err of both stacks",
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
    "print the settings that a ref publishes, one `KEY VALUE` a line; without a remote, the commit counts as the tip",
  )
  .action((ref: string, commit: string, remote: string | undefined) => {
    print(settingsOf({ ref, commit, remote }, ([key, value]) => `${key} ${value}\n`));
  });

program
  .command("run-options <ref> <commit> [remote]")
  .description(
    "print the same settings and those of a workflow as options of pulumi, one word a line. If SOURCES_FOLDER names a checkout " +
      "of the sources, a branch publishes the commit there, and SOURCES_REMOTE is the remote to ask for the tip",
  )
  .action((ref: string, commit: string, remote: string | undefined) => {
    const { SOURCES_FOLDER: folder = "", SOURCES_REMOTE } = process.env;
    const checkout = publishedCheckout({ ref, commit, remote }, folder, SOURCES_REMOTE);
    // A runner starts without layers: takes those of the last published build.
    const more = { buildCache: "registry", ...(folder !== "" && { sourceDir: folder }) };
    print(settingsOf(checkout, ([key, value]) => `--config\n${key}=${value}\n`, more));
  });

program
  .command("release-summary")
  .description("read `pulumi stack output images --json` on stdin; print the published images in Markdown")
  .action(async () => {
    print(releaseSummary(await input()));
  });

program
  .command("built-images <stack> <run> <folder>")
  .description(
    "set the job outputs `subjects`, a line for each image that the run built, and `sboms`, in JSON the SBOM of each platform, " +
      "which SYFT writes into the folder",
  )
  .action(async (stack: string, run: string, folder: string) => {
    const { subjects, sboms } = await attestable(root, stack, run, folder, ofJob("SYFT"));
    setOutput("subjects", subjects);
    setOutput("sboms", JSON.stringify(sboms));
  });

program
  .command("github-release <stack> <tag>")
  .description(
    "set the job output `release`, in JSON the release at GitHub of a published tag. Takes the images that the run built from " +
      "BUILT; asks GitHub for the attestations of the others, for up to ATTESTATION_WAIT seconds (default: 300)",
  )
  .action(async (stack: string, tag: string) => {
    const repository = `${ofJob("GITHUB_SERVER_URL")}/${ofJob("GITHUB_REPOSITORY")}`;
    const facts = await versionFacts(
      new StackSettings(root, stack),
      tag.replace(/^v/, ""),
      repository,
      ofJob("BUILT"),
      Number(process.env["ATTESTATION_WAIT"] ?? 300),
    );
    setOutput("release", JSON.stringify(githubRelease(facts)));
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

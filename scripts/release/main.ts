// Releases a version from this machine: npm run release -- --help
// First: it halves the load time of the imports below.
import "../../start/start.cjs";
import { Command } from "commander";
import { versionProblem } from "../../components/images/tags/names.ts";
import { nameStack, releaseCommand } from "../../problems/setting-commands.ts";
import { messageOf } from "../../problems/wording.ts";
import { useVerifiedPulumi } from "../lib/pulumi-cli.ts";
import { catchSignals } from "../lib/terminal.ts";
import { commitCommand, overwrite, publish, type ReleaseRequest, rollBackTo } from "./release.ts";
import { type Action, releaseAtGithub } from "./github.ts";
import { StackFile } from "./stack-file.ts";
import { projectFolder, root } from "../lib/folders.ts";

interface Options {
  stack: string;
  rollback: boolean;
  line?: string;
  overwrite: boolean;
  githubRelease: boolean;
  dryRun: boolean;
  yes: boolean;
}

/** The default stack. */
const STACK = "production-images";

const EXIT = { failed: 1, nothingStarted: 2 };

async function run(version: string, options: Options): Promise<void> {
  catchSignals();
  process.chdir(root);
  const { rollback, line, dryRun, yes } = options;
  process.exitCode = EXIT.nothingStarted;
  const invalid = versionProblem(version);
  const wrong = [
    ...(invalid === undefined ? [] : [`The version ${invalid}.`]),
    ...(rollback && options.overwrite ? ["--rollback and --overwrite do not go together."] : []),
    ...(options.githubRelease && dryRun ? ["--github-release and --dry-run do not go together."] : []),
    ...(line !== undefined && !rollback ? ["--line goes with --rollback."] : []),
  ];
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  nameStack(options.stack);
  const stack = new StackFile(projectFolder, options.stack);
  const syncGithub = (action: Action): Promise<string> =>
    releaseAtGithub(version, stack, root, action, releaseCommand(version, "--github-release"));
  if (options.githubRelease) {
    console.log(await syncGithub("none"));
    process.exitCode = 0;
    return;
  }
  const begin = (): void => void (process.exitCode = EXIT.failed);
  const release: ReleaseRequest = { version, line, dryRun, yes, root, defaultStack: STACK, begin };
  if (!rollback) await useVerifiedPulumi();
  const perform = rollback ? rollBackTo : options.overwrite ? overwrite : publish;
  const outcome = await perform(release, stack);
  process.exitCode = outcome === "done" || outcome === "only shown" ? 0 : EXIT.failed;
  if (outcome === "declined") console.error("\nNothing was changed.");
  if (outcome !== "done") {
    if (outcome !== "only shown") console.error(`To try again: ${retry(version, options)}`);
    return;
  }
  const subject = `${rollback ? "Go back to" : "Release"} ${version}`;
  const commit = await commitCommand(stack, subject);
  const done = rollback ? `The floating tags point to ${version}.` : `${version} is published.`;
  console.log(`\n${await syncGithub(rollback ? "rollback" : "publish")}`);
  console.log(`\n${done}${commit === undefined ? "" : ` Commit the stack's file: ${commit}`}`);
}

/** The command that repeats this run. */
function retry(version: string, { rollback, line, overwrite: overwrites }: Options): string {
  return releaseCommand(
    version,
    ...(rollback ? ["--rollback"] : []),
    ...(line === undefined ? [] : ["--line", line]),
    ...(overwrites ? ["--overwrite"] : []),
  );
}

new Command("npm run release --")
  .description(
    "Releases a version from this machine: checks that the sources are committed and the version is new, shows the preview, asks, publishes with `pulumi up`, and leaves the version in the stack's file. A plain `pulumi up` does the same without the checks.",
  )
  .argument("<version>", "a semantic version such as 1.4.2 or 2.0.0-rc.1")
  .option(
    "--rollback",
    "withdraw the versions above it, so that its floating tags (1.4, 1, latest) go back to it",
    false,
  )
  .option(
    "--line <tag>",
    "with --rollback: the line to go back in, 1.4, 1 or latest (default: the narrowest with a version above)",
  )
  .option("--overwrite", "move the published version to a build of these sources", false)
  .option(
    "--github-release",
    "only make or update the release of the published version at GitHub; every release and rollback ends with this",
    false,
  )
  .option("--dry-run", "only check and show the changes", false)
  .option("--yes", "do not ask", false)
  .option("--stack <name>", "the stack", STACK)
  .helpOption("--help", "print this")
  .addHelpText("after", "\nExit code: 0 done; 1 failed or declined; 2 nothing was started.")
  .showHelpAfterError("(npm run release -- --help)")
  .action(run)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(messageOf(error));
    process.exitCode ??= EXIT.failed;
  });

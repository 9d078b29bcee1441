// Releases a version from this machine: npm run release -- --help
// First: what is imported below loads half as much then.
import "../../start/start.cjs";
import * as path from "node:path";
import { Command } from "commander";
import { execa, ExecaError } from "execa";
import { versionProblem } from "../../components/images/tags.ts";
import { problemsError } from "../../problems/problem.ts";
import { configRemove, settingKey } from "../../problems/setting-commands.ts";
import { stackPlace } from "../../settings/place.ts";
import { imagesInStateReport } from "../ci/images-in-state.ts";
import { useVerifiedPulumi } from "../lib/pulumi-cli.ts";
import { readRepository } from "../report/read-repository.ts";
import { registryTags, treeProblems, versionProblems } from "./checks.ts";
import { release } from "./release.ts";
import { StackConfig } from "./stack-config.ts";

interface Options {
  stack: string;
  rollback: boolean;
  dryRun: boolean;
  yes: boolean;
}

const root = path.resolve(import.meta.dirname, "../..");

/** The stack that publishes images, where no other is named. */
const STACK = "production-images";

/** How it ends. */
const EXIT = { failed: 1, nothingBegun: 2 };

/** @throws where something keeps it from being begun; nothing was changed then. */
async function check(version: string, { stack, rollback }: Options): Promise<StackConfig> {
  const wrong = versionProblem(version);
  if (wrong !== undefined) throw new Error(`The version ${wrong}.`);
  const config = await readConfig(stack);
  if (config.text("manageRegistry") === "false") await checkState(stack);
  const place = await stackPlace(root, stack, process.env);
  const { versions } = await readRepository(place, `npm run release -- ${version}`);
  const problems = [
    ...config.leftovers(),
    ...(config.text("publishImages") === "false" ? [publishesNothing(version, stack)] : []),
    ...(rollback
      ? []
      : await treeProblems(path.resolve(root, config.text("sourceDir")), `Pulumi.${stack}.yaml`)),
    ...versionProblems(version, rollback, registryTags(versions)),
  ];
  if (problems.length > 0) throw problemsError(problems);
  return config;
}

async function readConfig(stack: string): Promise<StackConfig> {
  try {
    return await StackConfig.read(stack);
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const says = String(error.stderr).trim().split("\n").at(-1) ?? "";
    throw new Error(`The stack ${stack} cannot be read: ${says || error.shortMessage}`, { cause: error });
  }
}

/** A state of images alone is CI's, and what is planted there would run on this machine: looked at without a plugin. */
async function checkState(stack: string): Promise<void> {
  const { stdout } = await execa("pulumi", ["stack", "export", "--stack", stack]);
  imagesInStateReport(stdout);
}

function publishesNothing(version: string, stack: string) {
  return {
    where: settingKey("publishImages"),
    found: `false on the stack ${stack}`,
    allowed: "a stack that publishes images",
    fix:
      stack === STACK
        ? `${configRemove("publishImages")} --stack ${stack}`
        : `npm run release -- ${version}   # on ${STACK}`,
  };
}

async function run(version: string, options: Options): Promise<void> {
  process.chdir(root);
  let config;
  try {
    await useVerifiedPulumi();
    config = await check(version, options);
  } catch (error) {
    process.exitCode = EXIT.nothingBegun;
    throw error;
  }
  const { stack, rollback, dryRun } = options;
  const published = await release({ version, ...options }, config);
  if (published) {
    const file = `Pulumi.${stack}.yaml`;
    const subject = rollback ? `Go back to ${version}` : `Release ${version}`;
    console.log(`\n${version} is published. Commit what says so: git commit --message "${subject}" ${file}`);
  } else if (!dryRun) {
    process.exitCode = EXIT.failed;
    const words = [
      version,
      ...(rollback ? ["--rollback"] : []),
      ...(stack === STACK ? [] : ["--stack", stack]),
    ];
    console.error(`To try again: npm run release -- ${words.join(" ")}`);
  }
}

new Command("npm run release --")
  .description(
    "Releases a version from this machine: checks that the sources are committed and the version is new, shows the preview, asks, publishes by `pulumi up`, and leaves the version in the stack's file. `pulumi up` by hand does the same without the checks.",
  )
  .argument("<version>", "a semantic version such as 1.4.2 or 2.0.0-rc.1")
  .option("--rollback", "the version is published: its floating tags (1.4, 1, latest) go back to it", false)
  .option("--dry-run", "only check, and show the preview", false)
  .option("--yes", "publish without asking", false)
  .option("--stack <name>", "the stack", STACK)
  .helpOption("--help", "print this")
  .addHelpText("after", "\nExit code: 0 published; 1 failed or declined; 2 nothing was begun.")
  .showHelpAfterError("(npm run release -- --help)")
  .action(run)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode ??= EXIT.failed;
  });

// Sets up a production: npm run bootstrap -- --help
// First: it halves the load time of the imports below.
import "../../start/start.cjs";
import { Command, InvalidArgumentError } from "commander";
import { accountEmail } from "../../google/full-names.ts";
import { type Problem, problemsError } from "../../problems/problem.ts";
import { stopError } from "../../problems/stop-error.ts";
import { messageOf } from "../../problems/wording.ts";
import { GCP_SETTINGS } from "../../settings/schema.ts";
import { StackSettings } from "../../settings/stack-settings.ts";
import { LOG_IN } from "../../google/own-login.ts";
import { githubClient, githubToken } from "../lib/github.ts";
import { useVerifiedPulumi } from "../lib/pulumi-cli.ts";
import { confirm } from "../lib/terminal.ts";
import { Google } from "./google.ts";
import { Github } from "./github.ts";
import { toolProblems } from "./preflight.ts";
import { carryOut, plan } from "./step.ts";
import { stepsOf } from "./steps.ts";
import { Pulumi } from "./stack-steps.ts";
import { DRIFT_ACCOUNT_ID, stacksOf, type Wanted } from "./wanted.ts";
import { root } from "../lib/folders.ts";

const PARTS = ["github", "drift"] as const;

interface Options {
  project: string;
  region: string;
  github?: string;
  maintainer: string[];
  bucket?: string;
  secretsProvider?: string;
  without: string[];
  yes: boolean;
  dryRun: boolean;
}

const print = (line: string): void => {
  console.log(line);
};

/** A client with the caller's login, and the principal if Google names it. Without a login: adds a problem. */
async function logIn(
  project: string,
  problems: Problem[],
): Promise<{ google: Google; caller: string | undefined } | undefined> {
  try {
    const google = new Google(project);
    return { google, caller: await google.caller() };
  } catch {
    problems.push({
      where: "Google",
      found: "no login, or an expired one",
      allowed: "your own login",
      fix: LOG_IN,
    });
    return undefined;
  }
}

async function run(options: Options): Promise<void> {
  const { project, region, yes, dryRun } = options;
  process.chdir(root);
  const withGithub = options.github !== undefined && !options.without.includes("github");
  const problems = toolProblems(root);
  const login = await logIn(project, problems);
  const token = withGithub ? await githubToken() : undefined;
  if (withGithub && token === undefined)
    problems.push({
      where: "GitHub",
      found: "no login",
      allowed: "the login of an administrator of the repository",
      fix: "gh auth login   # or GH_TOKEN",
    });
  const maintainers = [
    ...new Set([...(login?.caller === undefined ? [] : [login.caller]), ...options.maintainer]),
  ];
  if (login !== undefined && maintainers.length === 0)
    problems.push({
      where: "--maintainer",
      found: "none, and the login does not name its principal",
      allowed: "the principals that work on the states",
      fix: "npm run bootstrap -- --maintainer user:NAME@example.com",
    });
  if (login === undefined || problems.length > 0) throw problemsError(problems);
  const settings = new StackSettings(root, "production");
  const wanted: Wanted = {
    ...{ project, region, maintainers },
    github: withGithub ? options.github : undefined,
    secretsProvider: options.secretsProvider,
    bucket: options.bucket ?? `${project}-pulumi-state`,
    drift: withGithub && !options.without.includes("drift"),
    ciAccountId: settings.text("ciServiceAccountId"),
    poolId: settings.text("githubPoolId"),
  };
  await useVerifiedPulumi();
  const pulumi = new Pulumi(wanted, root, async (question) => yes || confirm(question));
  const github =
    wanted.github === undefined || token === undefined
      ? undefined
      : new Github(wanted.github, await githubClient(token));
  const steps = await stepsOf(wanted, login.google, github, pulumi, root);

  print(
    `${project}, as ${login.caller ?? maintainers.join(", ")}: what exists (=), and what a run changes (+)`,
  );
  const open = await plan(steps, print);
  if (open > 0 && !dryRun) {
    if (!yes && !(await confirm("Do it?"))) throw stopError("Declined; nothing was changed.");
    print("");
    const { blocked, left } = await carryOut(steps, print);
    if (blocked.length > 0) {
      print(`\nNot done: ${blocked.join(", ")}.`);
      if (left.length > 0)
        print("\nCommands for a person with the missing permissions; run this again afterwards:");
      for (const { commands } of left) for (const command of commands) print(`  ${command}`);
      process.exitCode = 1;
      return;
    }
  }
  if (open === 0) print("\nEverything is there; nothing was changed.");
  if (!dryRun) printNext(wanted);
}

function printNext(wanted: Wanted): void {
  const [stack] = stacksOf(wanted);
  print(
    "\nCommit the files that other machines need: git add Pulumi.production.yaml Pulumi.production-images.yaml .pulumi.plugins",
  );
  print(`Log in to the infrastructure's state: npm run pulumi -- login gs://${stack.bucket}`);
  print("To make the registry public: scripts/create-public-registry.sh");
  if (wanted.drift) print(`The nightly drift run acts as ${accountEmail(wanted.project, DRIFT_ACCOUNT_ID)}.`);
}

const list = (value: string, before: string[]): string[] => [...before, value];

function checked(what: keyof typeof GCP_SETTINGS) {
  return (value: string): string => {
    if (GCP_SETTINGS[what].schema.safeParse(value).success) return value;
    throw new InvalidArgumentError(`It is ${GCP_SETTINGS[what].allowed}.`);
  };
}

const parts = (value: string): string[] => {
  const unknown = value.split("|").find((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown !== undefined) throw new InvalidArgumentError(`Allowed: ${PARTS.join("|")}.`);
  return value.split("|");
};

new Command("npm run bootstrap --")
  .description(
    "Sets up a production: APIs, buckets and keys for the states, grants, both stacks, protection at GitHub, the infrastructure, the variables of the workflows. Inspects, prints what it would change, asks, and makes what is missing. You can run it again at any time.",
  )
  .requiredOption("--project <id>", "Google Cloud project; it exists, with billing", checked("project"))
  .option("--region <name>", "region of the registry and the states", checked("region"), "us-central1")
  .option("--github <owner/name>", "repository whose workflows publish")
  .option(
    "--maintainer <principal>",
    "another principal with access to the states; can be repeated",
    list,
    [],
  )
  .option(
    "--bucket <name>",
    "bucket of the infrastructure's state; the images' bucket is NAME-images (default: ID-pulumi-state)",
  )
  .option(
    "--secrets-provider <name>",
    "secrets provider for pulumi stack init (default: keys of Cloud KMS, which it creates)",
  )
  .option("--without <parts>", `leave out: ${PARTS.join("|")}`, parts, [])
  .option("--dry-run", "only inspect and print", false)
  .option("--yes", "do not ask", false)
  .helpOption("--help", "print this")
  .addHelpText(
    "after",
    "\nExit code: 0 complete, or a dry run; 1 a step is not done or failed; 2 wrong usage.",
  )
  .showHelpAfterError("(npm run bootstrap -- --help)")
  .action(run)
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 2);
  })
  .parseAsync()
  .catch((error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  });

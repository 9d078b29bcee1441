// Makes all that a production takes: npm run bootstrap -- --help
import * as path from "node:path";
import { createInterface } from "node:readline/promises";
import { Command, InvalidArgumentError } from "commander";
import { execa } from "execa";
import { accountEmail } from "../../google/full-names.ts";
import { type Problem, problemsError, stopError } from "../../problems/problem.ts";
import { GCP_SETTINGS } from "../../settings/schema.ts";
import { StackSettings } from "../../settings/stack-settings.ts";
import { useVerifiedPulumi } from "../lib/pulumi-cli.ts";
import { googleLogin } from "../lib/google-login.ts";
import { Google } from "./google.ts";
import { Github } from "./github.ts";
import { toolProblems } from "./preflight.ts";
import { carryOut, plan } from "./step.ts";
import { stepsOf } from "./steps.ts";
import { Pulumi } from "./stack-steps.ts";
import { stacksOf, type Wanted } from "./wanted.ts";

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

const root = path.resolve(import.meta.dirname, "../..");
const print = (line: string): void => {
  console.log(line);
};

async function asks(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test(await terminal.question(`${question} [y/N] `));
  } finally {
    terminal.close();
  }
}

async function githubToken(): Promise<string | undefined> {
  const token = process.env["GH_TOKEN"] ?? process.env["GITHUB_TOKEN"];
  if (token !== undefined && token !== "") return token;
  const { stdout, failed } = await execa("gh", ["auth", "token"], { reject: false });
  return failed ? undefined : stdout.trim();
}

/** The caller, so far as Google knows them; undefined, with a problem, where nobody is logged in. */
async function logIn(
  project: string,
  problems: Problem[],
): Promise<{ google: Google; caller: string | undefined } | undefined> {
  try {
    const google = new Google(await googleLogin(), project);
    return { google, caller: await google.caller() };
  } catch {
    problems.push({
      where: "Google",
      found: "no login, or one that has expired",
      allowed: "a login of your own",
      fix: "gcloud auth application-default login",
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
      found: "a login that does not say whose it is",
      allowed: "who is to work on the states",
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
  const pulumi = new Pulumi(wanted, root, async (question) => yes || asks(question));
  const github =
    wanted.github === undefined || token === undefined ? undefined : new Github(wanted.github, token);
  const steps = await stepsOf(wanted, login.google, github, pulumi, root);

  print(
    `${project}, as ${login.caller ?? maintainers.join(", ")}: what there is (=), and what would be done (+)`,
  );
  const open = await plan(steps, print);
  if (open > 0 && !dryRun) {
    if (!yes && !(await asks("\nDo it?"))) throw stopError("Declined; nothing was changed.");
    print("");
    const left = await carryOut(steps, print);
    if (left.length > 0) {
      print("\nFor somebody who may, as they stand; then run this again:");
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
    "\nCommit what other machines need: git add Pulumi.production.yaml Pulumi.production-images.yaml .pulumi.plugins",
  );
  print(`Log in to the infrastructure's state: npm run pulumi -- login gs://${stack.bucket}`);
  print("Open the registry, if everybody is to pull: scripts/create-public-registry.sh");
  if (wanted.drift)
    print(`The nightly comparison runs as ${accountEmail(wanted.project, "hyperion-drift")}.`);
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
    "Makes what a production takes, as far as it is not there: APIs, buckets and keys for the states, grants, both stacks, protection at GitHub, the infrastructure itself, the workflows' variables. It looks first, prints, asks, and can be run again at any time.",
  )
  .requiredOption("--project <id>", "Google Cloud project; it exists, with billing", checked("project"))
  .option("--region <name>", "of the registry and of the states", checked("region"), "us-central1")
  .option("--github <owner/name>", "repository whose workflows publish")
  .option("--maintainer <principal>", "who may work on the states, beside you; repeat it", list, [])
  .option(
    "--bucket <name>",
    "of the infrastructure's state; the images' is NAME-images (default: ID-pulumi-state)",
  )
  .option(
    "--secrets-provider <name>",
    "as pulumi stack init takes it (default: keys of Cloud KMS, which it makes)",
  )
  .option("--without <parts>", `leave out: ${PARTS.join("|")}`, parts, [])
  .option("--dry-run", "only look, and print", false)
  .option("--yes", "do it without asking", false)
  .helpOption("--help", "print this")
  .addHelpText("after", "\nExit code: 0 all there; 1 something is left, or failed; 2 the call is wrong.")
  .showHelpAfterError("(npm run bootstrap -- --help)")
  .action(run)
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 2);
  })
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });

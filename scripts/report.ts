// Prints what is in the registry, what it costs and what cleanup would delete: npm run report -- --help
import * as path from "node:path";
import { Command } from "commander";
import type { AuthClient } from "google-auth-library";
import { artifactRegistry } from "../googleApis";
import { repositoryName } from "../resourceNames";
import { cleanedUp } from "./lib/report/cleanup";
import { readContent } from "./lib/report/content";
import { monthlyStorageCost } from "./lib/report/cost";
import { refusalText } from "./lib/report/refusal";
import { reportText } from "./lib/report/text";
import { StackSettings } from "./lib/stackSettings";

interface Options {
  stack: string;
  json?: true;
}

/** The caller's own credentials: the token that the gcp plugin takes too, else those of gcloud. */
async function login(): Promise<AuthClient> {
  const { GoogleAuth, OAuth2Client } = await import("google-auth-library");
  const token = process.env["GOOGLE_OAUTH_ACCESS_TOKEN"];
  if (token === undefined || token === "")
    return new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" }).getClient();
  const client = new OAuth2Client();
  client.setCredentials({ access_token: token });
  return client;
}

async function report({ stack, json }: Options): Promise<void> {
  const settings = new StackSettings(path.dirname(__dirname), stack);
  const project = settings.text("gcp:project");
  const repositoryId = settings.text("repositoryId");
  const name = repositoryName(project, settings.text("gcp:region"), repositoryId);
  const endpoint = process.env[artifactRegistry.variable] ?? artifactRegistry.endpoint;
  const now = new Date();
  let content;
  try {
    content = await readContent(await login(), endpoint, name);
  } catch (error) {
    throw new Error(refusalText(error, project, repositoryId), { cause: error });
  }
  const deletes = cleanedUp(content.versions, content.policies, now);
  if (json === true) {
    const { policies, dryRun, ...rest } = content;
    const monthlyCost = monthlyStorageCost(content.storedBytes);
    console.log(
      JSON.stringify({ ...rest, monthlyCost, cleanup: { policies, dryRun, deletes } }, undefined, 2),
    );
  } else console.log(reportText({ ...content, deletes }, now));
}

new Command("npm run report --")
  .description(
    "What is in the registry, what it costs and what cleanup would delete. Reads the Artifact Registry API with your own login (gcloud auth application-default login) and changes nothing.",
  )
  .option("--stack <name>", "the stack whose settings say which repository", "production")
  .option("--json", "for programs: sizes in bytes, cost in US dollars a month")
  .helpOption("--help", "print this")
  .action(report)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });

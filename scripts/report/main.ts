// Prints what is in the registry, what it costs and what cleanup would delete: npm run report -- --help
import * as path from "node:path";
import { Command } from "commander";
import type { AuthClient } from "google-auth-library";
import { artifactRegistry } from "../../google/apis.ts";
import { repositoryName } from "../../google/full-names.ts";
import { deletedVersions } from "../../components/repository/cleanup-rules.ts";
import { readContent } from "./content.ts";
import { monthlyStorageCost } from "./cost.ts";
import { type Place, stackPlace } from "../../settings/place.ts";
import { refusalText } from "./error-text.ts";
import { reportText } from "./text.ts";

interface Options {
  stack?: string;
  project?: string;
  json?: true;
}

const token = process.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";

/** The caller's own credentials: the token that the gcp plugin takes too, else those of gcloud. */
async function login(): Promise<AuthClient> {
  const { GoogleAuth, OAuth2Client } = await import("google-auth-library");
  // Google's own machines are known by their firmware. To ping for one elsewhere ends in a warning of the library's.
  process.env["METADATA_SERVER_DETECTION"] ??= "bios-only";
  if (token === "")
    return new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" }).getClient();
  const client = new OAuth2Client();
  client.setCredentials({ access_token: token });
  return client;
}

async function report({ stack, project, json }: Options): Promise<void> {
  const place: Place = await stackPlace(path.resolve(import.meta.dirname, "../.."), stack, process.env);
  if (project !== undefined) place.project = project;
  const repository = repositoryName(place.project, place.location, place.repositoryId);
  const endpoint = process.env[artifactRegistry.variable] ?? artifactRegistry.endpoint;
  const now = new Date();
  let content;
  try {
    content = await readContent(await login(), endpoint, repository);
  } catch (error) {
    throw new Error(refusalText(error, place, token !== ""), { cause: error });
  }
  const deletes = deletedVersions(content.versions, Object.values(content.policies), now);
  if (json === true) {
    const { policies, dryRun, ...rest } = content;
    const monthlyCost = monthlyStorageCost(content.storedBytes);
    const cleanup = { policies, dryRun, deletes };
    console.log(JSON.stringify({ repository, ...rest, monthlyCost, cleanup }, undefined, 2));
  } else console.log(reportText({ ...content, deletes }, now));
}

new Command("npm run report --")
  .description(
    "What is in the registry, what it costs and what cleanup would delete. Reads the Artifact Registry API with your own login (gcloud auth application-default login, or a token in GOOGLE_OAUTH_ACCESS_TOKEN) and changes nothing.",
  )
  .option(
    "--stack <name>",
    "the stack whose settings say which repository (default: the selected one, else production)",
  )
  .option("--project <id>", "the Google Cloud project, where it is not the stack's own")
  .option("--json", "for programs: sizes in bytes, cost in US dollars a month")
  .helpOption("--help", "print this")
  .showHelpAfterError("(npm run report -- --help)")
  .action(report)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });

// Prints what is in the registry, what it costs and what cleanup would delete: npm run report -- --help
// First: what is imported below loads half as much then.
import "../../start/start.cjs";
import * as path from "node:path";
import { Command } from "commander";
import { repositoryName } from "../../google/full-names.ts";
import { deletedVersions } from "../../components/repository/cleanup-rules.ts";
import { monthlyStorageCost } from "./cost.ts";
import { type Place, stackPlace } from "../../settings/place.ts";
import { readRepository } from "./read-repository.ts";
import { reportText } from "./text.ts";

interface Options {
  stack?: string;
  project?: string;
  json?: true;
}

async function report({ stack, project, json }: Options): Promise<void> {
  const place: Place = await stackPlace(path.resolve(import.meta.dirname, "../.."), stack, process.env);
  if (project !== undefined) place.project = project;
  const now = new Date();
  const content = await readRepository(place, "npm run report");
  const deletes = deletedVersions(content.versions, Object.values(content.policies), now);
  if (json === true) {
    const { policies, dryRun, ...rest } = content;
    const monthlyCost = monthlyStorageCost(content.storedBytes);
    const cleanup = { policies, dryRun, deletes };
    const repository = repositoryName(place.project, place.location, place.repositoryId);
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

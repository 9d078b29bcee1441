// Prints the content of the registry, its cost, and the versions that cleanup would delete: npm run report -- --help
// First: it halves the load time of the imports below.
import "../../start/start.cjs";
import { Command } from "commander";
import { repositoryName } from "../../google/full-names.ts";
import { messageOf } from "../../problems/wording.ts";
import { deletedVersions } from "../../components/repository/cleanup-rules.ts";
import { monthlyStorageCost } from "./cost.ts";
import { StackSettings } from "../../settings/stack-settings.ts";
import { stackRepository } from "../lib/own-registry.ts";
import { readContent } from "./content.ts";
import { reportText } from "./text.ts";
import { projectFolder } from "../lib/folders.ts";

interface Options {
  stack: string;
  json?: true;
}

async function report({ stack, json }: Options): Promise<void> {
  const place = stackRepository(new StackSettings(projectFolder, stack));
  const now = new Date();
  const content = await readContent(place, stack);
  const deletes = deletedVersions(content.versions, Object.values(content.policies), now);
  if (json === true) {
    const { policies, dryRun, ...rest } = content;
    const monthlyCost = monthlyStorageCost(content.storedBytes);
    const cleanup = { policies, dryRun, deletes };
    const repository = repositoryName(place);
    console.log(JSON.stringify({ repository, ...rest, monthlyCost, cleanup }, undefined, 2));
  } else console.log(reportText({ ...content, deletes }, now));
}

new Command("npm run report --")
  .description(
    "Prints the content of the registry, its cost, and the versions that cleanup would delete. Reads the Artifact Registry API with your login (gcloud auth application-default login, or a token in GOOGLE_OAUTH_ACCESS_TOKEN) and changes nothing.",
  )
  .option("--stack <name>", "the stack whose settings name the repository", "production")
  .option("--json", "print JSON, with sizes in bytes and the cost in US dollars a month")
  .helpOption("--help", "print this")
  .showHelpAfterError("(npm run report -- --help)")
  .action(report)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  });

import { pluginVersion } from "../install";
import { serve } from "../rpc/serve";
import { account } from "./account";
import { GoogleClient } from "./client";
import { define } from "./define";
import { functions } from "./functions";
import { orgPolicy } from "./org-policy";
import { repository } from "./repository";
import { repositoryIamMember } from "./repository-iam-member";
import { service } from "./service";
import { serviceAccountIamMember } from "./service-account-iam-member";
import { checkSettings, readSettings } from "./settings";
import { workloadIdentityPool } from "./workload-identity-pool";
import { workloadIdentityPoolProvider } from "./workload-identity-pool-provider";

let configured: GoogleClient | undefined;

function client(): GoogleClient {
  if (configured) return configured;
  throw new Error("the engine did not configure the gcp plugin");
}

void serve({
  name: "gcp",
  version: pluginVersion("gcp"),
  checkSettings,
  configure(settings) {
    configured = new GoogleClient(readSettings(settings, process.env));
  },
  resources: [
    service,
    repository,
    repositoryIamMember,
    account,
    serviceAccountIamMember,
    workloadIdentityPool,
    workloadIdentityPoolProvider,
    orgPolicy,
  ].map((definition) => define(definition, client)),
  functions: functions(client),
});

import manifest from "@pulumi/gcp/package.json" with { type: "json" };
import type { Provider } from "../rpc/provider.ts";
import { account } from "./account.ts";
import { GoogleClient } from "./client.ts";
import { define } from "./define.ts";
import { repositoryIamMember, serviceAccountIamMember } from "./iam-member.ts";
import { orgPolicy } from "./org-policy.ts";
import { readRepository, repository } from "./repository.ts";
import { service } from "./service.ts";
import { checkSettings, readSettings } from "./settings.ts";
import { workloadIdentityPool, workloadIdentityPoolProvider } from "./workload-identity.ts";

let configured: GoogleClient | undefined;

function client(): GoogleClient {
  if (configured) return configured;
  throw new Error("the engine did not configure the gcp plugin");
}

export const provider: Provider = {
  name: "gcp",
  version: manifest.version,
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
  functions: {
    "gcp:artifactregistry/getRepository:getRepository": (args, signal) =>
      readRepository(args, client(), signal),
    "gcp:organizations/getClientConfig:getClientConfig": async () => {
      const { project, region, zone } = client().settings;
      return {
        id: `projects/"${project}"/regions/"${region}"/zones/"${zone}"`,
        project,
        region,
        zone,
        accessToken: await client().accessToken(),
        defaultLabels: {},
      };
    },
  },
  endsOnCancel: false,
};

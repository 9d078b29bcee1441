import type { Call } from "../rpc/provider.ts";
import type { GoogleClient } from "./client.ts";
import { readRepository } from "./repository.ts";

/** The plugin's functions, by token. */
export function functions(client: () => GoogleClient): Record<string, Call> {
  return {
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
  };
}

import type { Properties } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";

/** The plugin's functions, by token. */
export function functions(client: () => GoogleClient): Record<string, (args: Properties) => Properties> {
  return {
    "gcp:organizations/getClientConfig:getClientConfig": () => {
      const { project, region, zone, accessToken } = client().settings;
      return {
        id: `projects/"${project}"/regions/"${region}"/zones/"${zone}"`,
        project,
        region,
        zone,
        accessToken,
        defaultLabels: {},
      };
    },
  };
}

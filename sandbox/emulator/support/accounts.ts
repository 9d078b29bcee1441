import type { Context } from "./context.ts";
import type { Params } from "./http/route.ts";
import type { ServiceAccount } from "./resources.ts";

/** The account with this email or unique id, in the project unless that is `-`. */
export function lookUpAccount(
  context: Context,
  project: string,
  account: string,
): ServiceAccount | undefined {
  const found = Object.values(context.store.state.serviceAccounts).find(
    ({ email, uniqueId }) => email === account || uniqueId === account,
  );
  return project === "-" || found?.projectId === project ? found : undefined;
}

/** Name of the account for its policy; of one that does not exist, in the project that it would be in. */
export function accountResource(params: Params, context: Context): string {
  const { project = "", account = "" } = params;
  const found = lookUpAccount(context, project, account);
  if (found) return found.name;
  const owner = project === "-" ? /@(.+)\.iam\.gserviceaccount\.com$/.exec(account)?.[1] : project;
  return `projects/${owner ?? "-"}/serviceAccounts/${account}`;
}

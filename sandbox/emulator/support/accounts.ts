import type { Context } from "./context.ts";
import type { Params } from "./http/route.ts";
import type { ServiceAccount } from "./resources.ts";

/** Finds an account by email or unique id. The project `-` stands for any. */
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

/** The account's name, which its policy is stored under; also for an account that does not exist. */
export function accountResource(params: Params, context: Context): string {
  const { project = "", account = "" } = params;
  const found = lookUpAccount(context, project, account);
  if (found) return found.name;
  const owner = project === "-" ? /@(.+)\.iam\.gserviceaccount\.com$/.exec(account)?.[1] : project;
  return `projects/${owner ?? "-"}/serviceAccounts/${account}`;
}

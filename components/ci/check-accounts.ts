import { z } from "zod";
import { iam, resourceManager } from "../../google/apis.ts";
import { checkOwnership, type ImportAction } from "../../google/check-ownership.ts";
import { callGoogle } from "../../google/client.ts";
import { accountEmail, accountName } from "../../google/full-names.ts";
import type { Outputs } from "../../google/last-outputs.ts";
import type { Checked } from "../../problems/checks.ts";
import { previewAccountId } from "./ci-service-account.ts";
import { configSet } from "../../problems/setting-commands.ts";

/** The CI account, and whether there is a preview account. */
export interface CiAccounts {
  project: string;
  accountId: string;
  withPreview: boolean;
}

export interface AccountActions {
  publisher: ImportAction;
  previewer: ImportAction;
}

/** Checks whether the CI accounts exist, and who owns them. */
export async function checkAccounts(
  { project, accountId, withPreview }: CiAccounts,
  outputs: Outputs,
  adoptExisting: boolean,
): Promise<Checked<AccountActions>> {
  const check = (id: string, output: unknown): Promise<Checked<ImportAction>> => {
    const email = accountEmail(project, id);
    return checkOwnership(
      {
        api: iam,
        name: accountName(project, id),
        kind: "a service account",
        isInLastOutputs: output === email,
        describe: () => Promise.all([describeKeys(project, id), describeRoles(project, email)]),
        renameCommand: configSet("ciServiceAccountId", "NAME"),
        disownCommand: `gcloud iam service-accounts update ${email} --project=${project} --description=`,
      },
      adoptExisting,
    );
  };
  const [publishes, previews] = await Promise.all([
    check(accountId, outputs["ciServiceAccountEmail"]),
    withPreview
      ? check(previewAccountId(accountId), outputs["previewServiceAccountEmail"])
      : ({ found: "create", problems: [] } as const),
  ]);
  return {
    found: { publisher: publishes.found, previewer: previews.found },
    problems: [...publishes.problems, ...previews.problems],
  };
}

const keyList = z.object({ keys: z.array(z.object({ validAfterTime: z.string() })).default([]) });

/** The keys with the oldest one's date, because an account has no creation date. */
async function describeKeys(project: string, accountId: string): Promise<string> {
  const { status, body } = await callGoogle(
    iam,
    `${accountName(project, accountId)}/keys?keyTypes=USER_MANAGED`,
  );
  if (status !== 200) return "no permission to read its keys";
  const days = keyList.parse(body).keys.map(({ validAfterTime }) => validAfterTime.slice(0, 10));
  const [oldest] = days.sort();
  return oldest === undefined ? "it has no key" : `its keys: ${days.length}, the oldest of ${oldest}`;
}

const policy = z.object({
  bindings: z.array(z.object({ role: z.string(), members: z.array(z.string()).default([]) })).default([]),
});

async function describeRoles(project: string, email: string): Promise<string> {
  const { status, body } = await callGoogle(resourceManager, `projects/${project}:getIamPolicy`, {
    method: "POST",
  });
  if (status !== 200) return "no permission to read its roles on the project";
  const roles = policy
    .parse(body)
    .bindings.filter(({ members }) => members.includes(`serviceAccount:${email}`))
    .map(({ role }) => role);
  return roles.length === 0
    ? "it has no role on the project"
    : `its roles on the project: ${roles.join(", ")}`;
}

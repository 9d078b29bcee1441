import { z } from "zod";
import { iam, resourceManager } from "../../google/apis.ts";
import { checkOwnership, type Fate } from "../../google/check-ownership.ts";
import { callGoogle } from "../../google/client.ts";
import { accountEmail, accountName } from "../../google/full-names.ts";
import type { Outputs } from "../../google/last-outputs.ts";
import type { Checked } from "../../problems/checks.ts";
import { previewAccountId } from "./ci-service-account.ts";
import { configSet } from "../../problems/setting-commands.ts";

/** The CI accounts: the one of this id, and the preview account beside it. */
export interface Accounts {
  project: string;
  accountId: string;
  withPreview: boolean;
}

/** What becomes of each account. */
export interface AccountFates {
  publisher: Fate;
  previewer: Fate;
}

/** Looks whether the CI accounts exist already, and whose they are. */
export async function checkAccounts(
  { project, accountId, withPreview }: Accounts,
  outputs: Outputs,
  adoptExisting: boolean,
): Promise<Checked<AccountFates>> {
  const check = (id: string, output: unknown): Promise<Checked<Fate>> => {
    const email = accountEmail(project, id);
    return checkOwnership(
      {
        api: iam,
        name: accountName(project, id),
        kind: "a service account",
        isNamed: output === email,
        tell: () => Promise.all([tellKeys(project, id), tellRoles(project, email)]),
        anotherOne: configSet("ciServiceAccountId", "NAME"),
        unmark: `gcloud iam service-accounts update ${email} --project=${project} --description=`,
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

/** The keys that people hold, and the oldest one's day: an account itself has no date. */
async function tellKeys(project: string, accountId: string): Promise<string> {
  const { status, body } = await callGoogle(
    iam,
    `${accountName(project, accountId)}/keys?keyTypes=USER_MANAGED`,
  );
  if (status !== 200) return "its keys may not be read";
  const days = keyList.parse(body).keys.map(({ validAfterTime }) => validAfterTime.slice(0, 10));
  const [oldest] = days.sort();
  return oldest === undefined ? "it has no key" : `its keys: ${days.length}, the oldest of ${oldest}`;
}

const policy = z.object({
  bindings: z.array(z.object({ role: z.string(), members: z.array(z.string()).default([]) })).default([]),
});

/** Its roles on the project. */
async function tellRoles(project: string, email: string): Promise<string> {
  const { status, body } = await callGoogle(resourceManager, `projects/${project}:getIamPolicy`, {
    method: "POST",
  });
  if (status !== 200) return "its roles on the project may not be read";
  const roles = policy
    .parse(body)
    .bindings.filter(({ members }) => members.includes(`serviceAccount:${email}`))
    .map(({ role }) => role);
  return roles.length === 0
    ? "it has no role on the project"
    : `its roles on the project: ${roles.join(", ")}`;
}

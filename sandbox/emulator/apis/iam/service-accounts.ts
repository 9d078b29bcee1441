import { z } from "zod";
import { bool, optionalTexts, text } from "../../support/http/body.ts";
import { newEtag } from "../../support/policies/policies.ts";
import { policyRoutes } from "../../support/policies/policy-routes.ts";
import { checkAccountCreation } from "../../support/policies/constraints.ts";
import { accountResource, lookUpAccount } from "../../support/accounts.ts";
import { ApiError, invalidArgument } from "../../support/http/errors.ts";
import { applyMask, given, maskedFields } from "../../support/http/mask.ts";
import { page } from "../../support/http/paging.ts";
import { methodsOf, type Params, type Route } from "../../support/http/route.ts";
import type { Policy, ServiceAccount } from "../../support/resources.ts";
import type { State } from "../../support/store.ts";
import type { Context } from "../../support/context.ts";

const api = methodsOf("iam.googleapis.com");
const onAccount = methodsOf("iam.googleapis.com", accountResource);
const ACCOUNTS_PATH = "v1/projects/{project}/serviceAccounts";
const ACCOUNT_PATH = `${ACCOUNTS_PATH}/{account}`;

const FIELDS = ["displayName", "description"] as const;

const accountBody = z.strictObject({
  ...optionalTexts("name", "projectId", "uniqueId", "email", "displayName", "etag", "description"),
  oauth2ClientId: text.optional(),
  disabled: bool.optional(),
});

const createBody = z.strictObject({ accountId: text.default(""), serviceAccount: accountBody.default({}) });
const updateBody = z.strictObject({ serviceAccount: accountBody.default({}), updateMask: text.optional() });

function accountOf(context: Context, params: Params): ServiceAccount {
  const account = params["account"] ?? "";
  const found = lookUpAccount(context, params["project"] ?? "", account);
  if (!found) throw new ApiError("NOT_FOUND", "Unknown service account", [], "notFound");
  return found;
}

const existingName = (context: Context, params: Params): string => accountOf(context, params).name;

function checkTexts({ displayName = "", description = "" }: z.infer<typeof accountBody>): void {
  if (Buffer.byteLength(displayName) > 100)
    throw invalidArgument(
      "The display name must be at most 100 UTF-8 bytes.",
      "service_account.display_name",
    );
  if (Buffer.byteLength(description) > 256)
    throw invalidArgument("The description must be at most 256 UTF-8 bytes.", "service_account.description");
}

/** Policies keep a deleted account under its unique id, so that a new account of that name does not inherit roles. */
function markDeleted(state: State, account: ServiceAccount): void {
  const member = `serviceAccount:${account.email}`;
  const rename = (policy: Policy): Policy => {
    if (policy.bindings?.some(({ members }) => members.includes(member)) !== true) return policy;
    const bindings = policy.bindings.map(({ role, members }) => ({
      role,
      members: members.map((each) => (each === member ? `deleted:${member}?uid=${account.uniqueId}` : each)),
    }));
    return { ...policy, bindings, etag: newEtag() };
  };
  for (const [name, stored] of Object.entries(state.policies))
    state.policies[name] = { ...stored, current: rename(stored.current) };
}

/** Service accounts of IAM v1 (https://cloud.google.com/iam/docs/reference/rest). Keys cannot be created, on purpose. */
export const serviceAccounts: Route[] = [
  api.post(ACCOUNTS_PATH, "iam.serviceAccounts.create", createBody, ({ context, params, body }) => {
    const projectId = params["project"] ?? "";
    const { accountId } = body;
    if (accountId.length < 6 || accountId.length > 30)
      throw invalidArgument(
        `The account ID "${accountId}" does not have a length between 6 and 30.`,
        "account_id",
      );
    if (!/^[a-z]([-a-z0-9]*[a-z0-9])$/.test(accountId))
      throw invalidArgument(
        `The account ID "${accountId}" must start with a lower case letter, followed by one or more lower case alphanumerical characters that can be separated by hyphens.`,
        "account_id",
      );
    checkTexts(body.serviceAccount);
    checkAccountCreation(context, `projects/${projectId}`);
    const email = `${accountId}@${projectId}.iam.gserviceaccount.com`;
    if (context.store.state.serviceAccounts[email])
      throw new ApiError(
        "ALREADY_EXISTS",
        `Service account ${accountId} already exists within project projects/${projectId}.`,
      );
    return context.store.change((state) => {
      const uniqueId = String(100_000_000_000_000_000_000n + BigInt(state.nextId++));
      return (state.serviceAccounts[email] = {
        name: `projects/${projectId}/serviceAccounts/${email}`,
        projectId,
        uniqueId,
        email,
        ...given(body.serviceAccount, FIELDS),
        etag: "MDEwMjE5MjA=",
        oauth2ClientId: uniqueId,
      });
    });
  }),
  api.get(ACCOUNTS_PATH, "iam.serviceAccounts.list", ({ context, params, query }) => {
    const accounts = Object.values(context.store.state.serviceAccounts);
    const own = accounts.filter(({ projectId }) => projectId === params["project"]);
    return page("accounts", own, query, 100);
  }),
  onAccount.get(ACCOUNT_PATH, "iam.serviceAccounts.get", ({ context, params }) => accountOf(context, params)),
  onAccount.patch(ACCOUNT_PATH, "iam.serviceAccounts.update", updateBody, ({ context, params, body }) => {
    const account = accountOf(context, params);
    const fields = maskedFields(body.updateMask, body.serviceAccount, FIELDS);
    checkTexts(body.serviceAccount);
    context.store.change(() => {
      applyMask<ServiceAccount>(account, given(body.serviceAccount, FIELDS), fields);
    });
    const changed = fields.map((field) => [field, account[field]] as const);
    return {
      name: account.name,
      ...Object.fromEntries(changed.filter(([, value]) => value !== undefined)),
    };
  }),
  onAccount.delete(ACCOUNT_PATH, "iam.serviceAccounts.delete", ({ context, params }) => {
    const account = accountOf(context, params);
    context.store.change((state) => {
      Reflect.deleteProperty(state.serviceAccounts, account.email);
      Reflect.deleteProperty(state.policies, account.name);
      markDeleted(state, account);
    });
    return {};
  }),
  onAccount.get(`${ACCOUNT_PATH}/keys`, "iam.serviceAccountKeys.list", ({ context, params }) => {
    accountOf(context, params);
    return {};
  }),
  ...policyRoutes(onAccount, ACCOUNT_PATH, "iam.serviceAccounts", existingName, "POST"),
];

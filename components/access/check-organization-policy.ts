import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { messageOf } from "../../problems/wording.ts";
import { callGoogle, isApiDisabled } from "../../google/client.ts";
import { organizationPolicy } from "../../google/apis.ts";
import { ALL_AUTHENTICATED_USERS } from "./principals.ts";
import type { Checked } from "../../problems/checks.ts";
import type { Problem } from "../../problems/problem.ts";
import { configRemove, configSet, OR, pulumiCommand } from "../../problems/setting-commands.ts";

/** Domain restricted sharing, and its managed successor. */
const LEGACY = "iam.allowedPolicyMemberDomains";
const MANAGED = "iam.managed.allowedPolicyMembers";

/** Settings that make a registry public. */
export interface PublicAccessSettings {
  /** Google Cloud project. */
  project: string;
  publicAccess: boolean;
  /** Principals that can pull. */
  readers: readonly string[];
  overrideDomainRestrictedSharing: boolean;
}

const effectivePolicy = z.object({
  name: z.string().optional(),
  spec: z
    .object({
      rules: z
        .array(
          z.object({
            allowAll: z.boolean().optional(),
            denyAll: z.boolean().optional(),
            enforce: z.boolean().optional(),
            values: z.object({ allowedValues: z.array(z.string()).default([]) }).optional(),
            parameters: z.record(z.string(), z.unknown()).optional(),
          }),
        )
        .default([]),
    })
    .default({ rules: [] }),
});

type EffectivePolicy = z.infer<typeof effectivePolicy>;

/**
 * Checks whether an organization policy would refuse a public binding, and warns of the consequences of public access.
 * Reads the effective policy, which includes what the project inherits.
 */
export async function checkOrganizationPolicy(settings: PublicAccessSettings): Promise<Checked<undefined>> {
  const members = [
    ...(settings.publicAccess ? ["allUsers"] : []),
    ...settings.readers.filter((reader) => reader === ALL_AUTHENTICATED_USERS),
  ];
  if (members.length === 0) return { found: undefined, problems: [] };
  if (members.includes(ALL_AUTHENTICATED_USERS)) {
    warn(
      `readers has ${ALL_AUTHENTICATED_USERS}: anyone with a Google account can pull, which is public in all but name.`,
    );
  }
  const [legacy, managed] = await Promise.all([
    read(settings.project, LEGACY),
    read(settings.project, MANAGED),
  ]);
  if (legacy === "disabled" || managed === "disabled")
    return { found: undefined, problems: [disabledApiProblem(settings, members)] };
  const problems: Problem[] = [];
  if (legacy !== undefined && !allowsAll(legacy)) {
    if (settings.overrideDomainRestrictedSharing)
      warn(
        `The exception from ${LEGACY} takes minutes to spread. If the public binding is refused ("do not belong to a permitted customer"), run this again in five minutes: ${pulumiCommand("up")}`,
      );
    else problems.push(policyProblem(settings, members, LEGACY, legacy));
  }
  if (managed !== undefined && !allowsMembers(managed, members)) {
    problems.push(policyProblem(settings, members, MANAGED, managed));
  }
  if (problems.length === 0 && settings.overrideDomainRestrictedSharing) {
    warn(
      `overrideDomainRestrictedSharing lifts ${LEGACY} on the whole project ${settings.project}: anyone with permission to set its policies can then share any of its resources outside the organization.`,
    );
  }
  return { found: undefined, problems };
}

/**
 * Returns the effective policy, or `disabled` if the API is disabled. Returns undefined, with a warning, on other
 * errors.
 */
async function read(project: string, constraint: string): Promise<EffectivePolicy | "disabled" | undefined> {
  const path = `projects/${project}/policies/${constraint}:getEffectivePolicy`;
  try {
    const answer = await callGoogle(organizationPolicy, path, { quotaProject: project });
    const { status, body } = answer;
    if (status === 200) return effectivePolicy.parse(body);
    if (isApiDisabled(answer)) return "disabled";
    // 404: the organization has no such constraint.
    if (status !== 404) warnUnread(constraint, `Google answered ${status}`);
  } catch (error) {
    warnUnread(constraint, messageOf(error));
  }
  return undefined;
}

/** This stack enables the API too, but only at `up`, when other changes have already begun. */
function disabledApiProblem(settings: PublicAccessSettings, members: readonly string[]): Problem {
  const { project } = settings;
  return {
    where: `constraints/${LEGACY}`,
    found: `a policy that cannot be checked for ${members.join(" and ")}: the Organization Policy API is not enabled in ${project}`,
    allowed: "an enabled API, or a registry that is not public",
    fix: [
      `gcloud services enable orgpolicy.googleapis.com --project=${project}   # takes a minute to spread`,
      ...privateFixes(settings),
    ].join(OR),
  };
}

function warnUnread(constraint: string, why: string): void {
  warn(`Could not read the organization policy ${constraint} (${why}); a public binding may be refused.`);
}

/** A list constraint without rules allows everything. */
function allowsAll({ spec: { rules } }: EffectivePolicy): boolean {
  return rules.length === 0 || rules.some((rule) => rule.allowAll === true);
}

function allowsMembers({ spec: { rules } }: EffectivePolicy, members: readonly string[]): boolean {
  const enforced = rules.filter((rule) => rule.enforce === true);
  return enforced.every((rule) => {
    const subjects = rule.parameters?.["allowedMemberSubjects"];
    return Array.isArray(subjects) && members.every((member) => subjects.includes(member));
  });
}

function policyProblem(
  settings: PublicAccessSettings,
  members: readonly string[],
  constraint: string,
  policy: EffectivePolicy,
): Problem {
  const allowed = policy.spec.rules.flatMap((rule) => [
    ...(rule.values?.allowedValues ?? []),
    ...(rule.parameters === undefined ? [] : [JSON.stringify(rule.parameters)]),
  ]);
  const source = policy.name === undefined ? "" : ` of ${policy.name.replace(/\/policies\/.*/, "")}`;
  return {
    where: `constraints/${constraint}`,
    found: `${members.join(" and ")} would be refused by the organization policy${source}`,
    allowed: allowed.length === 0 ? "only members of the organization" : `members of ${allowed.join(", ")}`,
    fix: policyFixes(settings, constraint).join(OR),
  };
}

function policyFixes(settings: PublicAccessSettings, constraint: string): string[] {
  if (constraint !== LEGACY)
    return [
      "ask an organization policy administrator for an exception on this project",
      ...privateFixes(settings),
    ];
  const first = Math.max(settings.readers.indexOf(ALL_AUTHENTICATED_USERS), 0);
  return [
    // The settings refuse the exception without publicAccess.
    ...(settings.publicAccess
      ? [configSet("overrideDomainRestrictedSharing", "true   # requires roles/orgpolicy.policyAdmin")]
      : []),
    `name the readers of your domain: ${configSet(`readers[${first}]`, "domain:example.com")}`,
    ...privateFixes(settings),
  ];
}

/** Commands that keep the registry private. */
function privateFixes({ publicAccess, readers }: PublicAccessSettings): string[] {
  const anyone = readers.indexOf(ALL_AUTHENTICATED_USERS);
  return [
    ...(publicAccess ? [`stay private: ${configSet("publicAccess", "false")}`] : []),
    ...(anyone < 0 ? [] : [`remove ${ALL_AUTHENTICATED_USERS}: ${configRemove(`readers[${anyone}]`)}`]),
  ];
}

function warn(message: string): void {
  void pulumi.log.warn(message);
}

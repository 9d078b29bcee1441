import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { messageOf } from "../../problems/wording.ts";
import { callGoogle, isApiDisabled } from "../../google/client.ts";
import { organizationPolicy } from "../../google/apis.ts";
import { ALL_AUTHENTICATED_USERS } from "./principals.ts";
import type { Checked } from "../../problems/checks.ts";
import type { Problem } from "../../problems/problem.ts";
import { configRemove, configSet, PULUMI } from "../../problems/setting-commands.ts";

/** Domain restricted sharing, as most organizations have it, and its managed successor. */
const LEGACY = "iam.allowedPolicyMemberDomains";
const MANAGED = "iam.managed.allowedPolicyMembers";

/** What decides whether a registry is public, as the settings of the same names say it. */
export interface PublicAccess {
  /** Google Cloud project. */
  project: string;
  publicAccess: boolean;
  /** Principals that may pull. */
  readers: readonly string[];
  overrideDomainRestrictedSharing: boolean;
}

/** Between the ways to fix a problem. */
const OR = "\n           or ";

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
 * Looks whether the organization's policy would refuse a public binding, and warns of what public access opens. Reads
 * the *effective* policy, which the project inherits. Each problem tells what the policy allows, where it comes from, and
 * the ways out.
 */
export async function checkPublicAccess(wanted: PublicAccess): Promise<Checked<undefined>> {
  const members = [
    ...(wanted.publicAccess ? ["allUsers"] : []),
    ...wanted.readers.filter((reader) => reader === ALL_AUTHENTICATED_USERS),
  ];
  if (members.length === 0) return { found: undefined, problems: [] };
  if (members.includes(ALL_AUTHENTICATED_USERS)) {
    warn(
      `readers has ${ALL_AUTHENTICATED_USERS}: anybody with a Google account can pull, which is public in all but name.`,
    );
  }
  const [legacy, managed] = await Promise.all([read(wanted.project, LEGACY), read(wanted.project, MANAGED)]);
  if (legacy === "disabled" || managed === "disabled")
    return { found: undefined, problems: [disabled(wanted, members)] };
  const problems: Problem[] = [];
  if (legacy !== undefined && !allowsAll(legacy)) {
    if (wanted.overrideDomainRestrictedSharing) warnOfSpreading();
    else problems.push(refusal(wanted, members, LEGACY, legacy));
  }
  if (managed !== undefined && !allowsMembers(managed, members)) {
    problems.push(refusal(wanted, members, MANAGED, managed));
  }
  if (problems.length === 0 && wanted.overrideDomainRestrictedSharing) {
    warn(
      `overrideDomainRestrictedSharing lifts ${LEGACY} on the whole project ${wanted.project}: whoever may set a policy there can then share any of its resources outside the organization, not this repository alone.`,
    );
  }
  return { found: undefined, problems };
}

/** The effective policy; `disabled` without its API; undefined, with a warning, when it cannot be read. */
async function read(project: string, constraint: string): Promise<EffectivePolicy | "disabled" | undefined> {
  const path = `projects/${project}/policies/${constraint}:getEffectivePolicy`;
  try {
    const answer = await callGoogle(organizationPolicy, path, { quotaProject: project });
    const { status, body } = answer;
    if (status === 200) return effectivePolicy.parse(body);
    if (isApiDisabled(answer)) return "disabled";
    // 404: an organization that does not know the constraint.
    if (status !== 404) warnUnread(constraint, `Google answered ${status}`);
  } catch (error) {
    warnUnread(constraint, messageOf(error));
  }
  return undefined;
}

/**
 * This stack enables the API too, but only at `up`, when it would be too late to stop before any change: once it is
 * enabled, the policy can be read at preview.
 */
function disabled(wanted: PublicAccess, members: readonly string[]): Problem {
  const { project } = wanted;
  return {
    where: `constraints/${LEGACY}`,
    found: `whether it refuses ${members.join(" and ")} cannot be read: the Organization Policy API is not enabled in ${project}`,
    allowed: "an enabled API, or a registry that is not public",
    fix: [
      `gcloud services enable orgpolicy.googleapis.com --project=${project}   # takes a minute to spread`,
      ...waysBack(wanted),
    ].join(OR),
  };
}

function warnUnread(constraint: string, why: string): void {
  warn(`Could not read the organization policy ${constraint} (${why}); a public binding may be refused.`);
}

/** A list constraint without rules restricts nothing. */
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

function refusal(
  wanted: PublicAccess,
  members: readonly string[],
  constraint: string,
  policy: EffectivePolicy,
): Problem {
  const allowed = policy.spec.rules.flatMap((rule) => [
    ...(rule.values?.allowedValues ?? []),
    ...(rule.parameters === undefined ? [] : [JSON.stringify(rule.parameters)]),
  ]);
  const source = policy.name === undefined ? "" : `, as ${policy.name.replace(/\/policies\/.*/, "")} has it`;
  return {
    where: `constraints/${constraint}`,
    found: `${members.join(" and ")} would be refused by the organization policy${source}`,
    allowed: allowed.length === 0 ? "nobody outside the organization" : `members of ${allowed.join(", ")}`,
    fix: waysOut(wanted, constraint).join(OR),
  };
}

function waysOut(wanted: PublicAccess, constraint: string): string[] {
  if (constraint !== LEGACY)
    return ["ask an organization policy administrator for an exception on this project", ...waysBack(wanted)];
  const first = Math.max(wanted.readers.indexOf(ALL_AUTHENTICATED_USERS), 0);
  return [
    // The exception goes with publicAccess alone; without it, the settings refuse it.
    ...(wanted.publicAccess
      ? [configSet("overrideDomainRestrictedSharing", "true   # takes roles/orgpolicy.policyAdmin")]
      : []),
    `name the readers of your domain: ${configSet(`readers[${first}]`, "domain:example.com")}`,
    ...waysBack(wanted),
  ];
}

/** The ways to a registry that is not public. */
function waysBack({ publicAccess, readers }: PublicAccess): string[] {
  const anyone = readers.indexOf(ALL_AUTHENTICATED_USERS);
  return [
    ...(publicAccess ? [`stay private: ${configSet("publicAccess", "false")}`] : []),
    ...(anyone < 0 ? [] : [`take ${ALL_AUTHENTICATED_USERS} out: ${configRemove(`readers[${anyone}]`)}`]),
  ];
}

function warnOfSpreading(): void {
  warn(
    `The exception from ${LEGACY} takes minutes to spread. Should the public binding be refused ("do not belong to a permitted customer"), run this again in five minutes: ${PULUMI} up`,
  );
}

function warn(message: string): void {
  void pulumi.log.warn(message);
}

import { iam, kms, resourceManager, storage } from "../../google/apis.ts";
import { accountName } from "../../google/full-names.ts";
import type { Google, Guarded, Policy } from "./google.ts";
import { type Finding, found, open, PermissionMissing, type Todo, together } from "./step.ts";
import { keyName, type Stack, type Wanted } from "./wanted.ts";

/** A resource with an IAM policy, and the gcloud command that changes the policy. */
export interface Resource extends Guarded {
  label: string;
  command: (verb: "add" | "remove") => string;
}

const wrapped = (policy: Policy): object => ({ policy });

const guarded = (api: Guarded["api"], path: string, getMethod: "GET" | "POST"): Guarded => ({
  ...{ api, getMethod, getPath: `${path}:getIamPolicy`, setMethod: "POST", setPath: `${path}:setIamPolicy` },
  wrap: wrapped,
});

export function bucketOf({ bucket }: Stack): Resource {
  const path = `b/${bucket}/iam`;
  return {
    ...{ api: storage, getMethod: "GET", setMethod: "PUT", setPath: path },
    getPath: `${path}?optionsRequestedPolicyVersion=3`,
    wrap: (policy) => policy,
    label: `gs://${bucket}`,
    command: (verb) => `gcloud storage buckets ${verb}-iam-policy-binding gs://${bucket}`,
  };
}

export function keyOf(wanted: Wanted, stack: Stack): Resource {
  const name = keyName(wanted, stack);
  return {
    ...guarded(kms, name, "GET"),
    label: `the key ${stack.key}`,
    command: (verb) => `gcloud kms keys ${verb}-iam-policy-binding ${name}`,
  };
}

export function accountOf({ project }: Wanted, id: string): Resource {
  const name = accountName(project, id);
  return {
    ...guarded(iam, name, "POST"),
    label: `the account ${id}`,
    command: (verb) =>
      `gcloud iam service-accounts ${verb}-iam-policy-binding ${name.split("/").at(-1) ?? ""} --project ${project}`,
  };
}

export function projectOf({ project }: Wanted): Resource {
  return {
    ...guarded(resourceManager, `projects/${project}`, "POST"),
    label: `the project ${project}`,
    command: (verb) => `gcloud projects ${verb}-iam-policy-binding ${project}`,
  };
}

/** Only bindings without a condition count: a binding with one is another binding. */
function holds(policy: Policy, role: string, member: string): boolean {
  return policy.bindings.some(
    (binding) => binding.role === role && !("condition" in binding) && binding.members.includes(member),
  );
}

function withMember(policy: Policy, role: string, member: string): Policy {
  return holds(policy, role, member)
    ? policy
    : { ...policy, bindings: [...policy.bindings, { role, members: [member] }] };
}

const NO_POLICY: Policy = { bindings: [] };

/** Grants the missing roles. */
export async function grants(
  google: Google,
  resource: Resource,
  wanted: readonly { role: string; member: string }[],
): Promise<Finding> {
  // A caller who cannot read the policy gets the commands for a person who can.
  const policy = await google.policyOf(resource).catch((error: unknown) => {
    if (error instanceof PermissionMissing) return NO_POLICY;
    throw error;
  });
  return together(
    wanted.map(({ role, member }) => {
      const what = `${member}: ${role} on ${resource.label}`;
      if (holds(policy, role, member)) return found(what);
      return open({
        what,
        commands: [`${resource.command("add")} --member '${member}' --role ${role} --condition None`],
        apply: () => google.changePolicy(resource, (before) => withMember(before, role, member)),
      });
    }),
  );
}

/** Removes the selected members from the policy. */
export async function revocations(
  google: Google,
  resource: Resource,
  which: (role: string, member: string) => boolean,
): Promise<Todo[]> {
  const { bindings } = await google.policyOf(resource);
  return bindings.flatMap(({ role, members }) =>
    members
      .filter((member) => which(role, member))
      .map((member) => ({
        what: `${member}: no longer ${role} on ${resource.label}`,
        commands: [`${resource.command("remove")} --member '${member}' --role ${role} --all`],
        apply: () =>
          google.changePolicy(resource, (before) => ({
            ...before,
            bindings: before.bindings
              .map((binding) =>
                binding.role === role
                  ? { ...binding, members: binding.members.filter((each) => each !== member) }
                  : binding,
              )
              .filter((binding) => binding.members.length > 0),
          })),
      })),
  );
}

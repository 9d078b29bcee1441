import type { Context } from "../context.ts";
import { timestamp } from "../http/time.ts";
import { findProject } from "../projects.ts";
import type { OrgPolicy } from "../resources.ts";
import { newEtag, spread } from "./policies.ts";

/** Sets the policy of a constraint on a parent, or deletes it (null). It takes effect after the configured delay. */
export function putOrgPolicy(
  context: Context,
  name: string,
  spec: OrgPolicy["spec"] | null,
): OrgPolicy | null {
  const [kind = "", id = "", , constraint = ""] = name.split("/");
  const number = kind === "projects" ? findProject(context, id)?.projectNumber : id;
  const etag = newEtag();
  const policy = spec && {
    name: `${kind}/${number ?? id}/policies/${constraint}`,
    spec: { ...spec, etag, updateTime: timestamp(context.now()) },
    etag,
  };
  context.store.change((state) => {
    const stored = state.orgPolicies[name] ?? { current: null };
    state.orgPolicies[name] = spread<OrgPolicy | null>(
      stored,
      policy,
      state.orgPolicyDelaySeconds,
      context.now(),
    );
  });
  return policy;
}

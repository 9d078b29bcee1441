import table from "../../../docs/permissions.json" with { type: "json" };

/** Permissions that a kind of work takes on one resource. */
export interface Grant {
  on: "project" | "organization" | "repository";
  /** Predefined roles that hold them. */
  predefined: string[];
  /** It fails without any one of these. */
  permissions: string[];
}

/** A kind of work, and what it takes. */
export interface Job {
  job: string;
  /** Who does it, and what. */
  who: string;
  /** Id of the custom role. */
  role: string;
  grants: Grant[];
}

/** Every kind of work. */
export const JOBS = table as Job[];

/** What a kind of work takes. */
export function grantsOf(job: string): Grant[] {
  const found = JOBS.find((each) => each.job === job);
  if (!found) throw new Error(`docs/permissions.json has no job ${job}`);
  return found.grants;
}

/** Everything that is granted. */
export function allOf(grants: readonly Grant[]): string[] {
  return grants.flatMap(({ permissions }) => permissions);
}

/** The same grants without one permission. */
export function without(grants: readonly Grant[], permission: string): Grant[] {
  return grants.map((grant) => ({
    ...grant,
    permissions: grant.permissions.filter((each) => each !== permission),
  }));
}

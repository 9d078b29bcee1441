import table from "../../../docs/permissions.json" with { type: "json" };

/** The permissions of a job on one resource. */
export interface Grant {
  on: "project" | "organization" | "repository";
  /** Predefined roles that hold them. */
  predefined: string[];
  /** The job needs each of these. */
  permissions: string[];
}

export interface Job {
  job: string;
  /** Who does what. */
  who: string;
  /** Id of the custom role. */
  role: string;
  grants: Grant[];
}

export const JOBS = table as Job[];

export function grantsOf(job: string): Grant[] {
  const found = JOBS.find((each) => each.job === job);
  if (!found) throw new Error(`docs/permissions.json has no job ${job}`);
  return found.grants;
}

export function permissionsOf(grants: readonly Grant[]): string[] {
  return grants.flatMap(({ permissions }) => permissions);
}

/** The same grants without these permissions. */
export function without(grants: readonly Grant[], missing: readonly string[]): Grant[] {
  return grants.map((grant) => ({
    ...grant,
    permissions: grant.permissions.filter((each) => !missing.includes(each)),
  }));
}

import type { TokenRules } from "./workload-identity.ts";

/** What of GitHub Actions is let in, and what may publish. */
export interface GithubTrust {
  /** `owner/name`, in any letter case: GitHub tells no two names apart by it. */
  repository: string;
  /** Numeric ids of the repository and its owner; they outlive a renamed or re-registered name. */
  ids?: { repository: string; owner: string };
  /** Refs whose pushes may publish, such as `refs/heads/main` and `refs/tags/v*`. */
  refs: readonly string[];
  /** Environment that a job has to run in to publish, in any letter case. */
  environment: string;
}

/** Issuer of the tokens of GitHub Actions. */
export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

/**
 * Longest expression that Google takes in a mapping, in characters.
 * Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
 */
export const LONGEST_MAPPING = 2048;

/** Id of GitHub's provider in its workload identity pool. */
export const GITHUB_PROVIDER_ID = "github";

/** What Google has to know of GitHub's tokens. */
export function githubTokenRules(trust: GithubTrust): TokenRules {
  return {
    displayName: "GitHub Actions",
    issuer: GITHUB_ISSUER,
    attributeMapping: attributeMapping(trust),
    attributeCondition: attributeCondition(trust),
  };
}

/**
 * The condition (CEL) that admits tokens of one repository only.
 * Source of the claims: https://docs.github.com/actions/reference/security/oidc
 */
export function attributeCondition({ repository, ids }: GithubTrust): string {
  return ids === undefined
    ? `assertion.repository.lowerAscii() == ${quoted(lowerAscii(repository))}`
    : `assertion.repository_id == '${ids.repository}' && assertion.repository_owner_id == '${ids.owner}'`;
}

/** The drift job by its workflow file on main, whatever the repository is called by now. */
const DRIFT =
  "assertion.event_name == 'workflow_dispatch' && assertion.ref == 'refs/heads/main' && " +
  "assertion.workflow_ref == assertion.repository + '/.github/workflows/drift.yml@refs/heads/main'";

/**
 * What a token becomes. `attribute.access` is what accounts are bound to: `drift` for the drift job, `publish` for
 * pushes and manual runs on the trusted refs in the trusted environment, `preview` for pull requests, `none` for all
 * else. A ref alone would not do: `pull_request_target` carries the main branch as its ref, and whoever may push can
 * make a tag of a commit with a workflow of their own; who may use the environment, GitHub's rules say.
 *
 * The subject is the run, not GitHub's own: that has the ref and the environment in it, and what is longer than 127
 * bytes Google refuses.
 */
export function attributeMapping({ refs, environment }: GithubTrust): Record<string, string> {
  const trusted = refs.map((ref) =>
    ref.endsWith("*")
      ? `assertion.ref.startsWith(${quoted(ref.slice(0, -1))})`
      : `assertion.ref == ${quoted(ref)}`,
  );
  const publishes = [
    "assertion.event_name in ['push', 'workflow_dispatch']",
    // Only jobs that name an environment have the claim.
    `has(assertion.environment) && assertion.environment.lowerAscii() == ${quoted(lowerAscii(environment))}`,
    `(${trusted.join(" || ")})`,
  ].join(" && ");
  return {
    "google.subject": "assertion.repository_id + ':' + assertion.run_id",
    "attribute.repository": "assertion.repository",
    "attribute.access": `${DRIFT} ? 'drift' : (${publishes} ? 'publish' : (assertion.event_name == 'pull_request' ? 'preview' : 'none'))`,
  };
}

/** A text as CEL writes it. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** As CEL's function of that name. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

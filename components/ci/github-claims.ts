import type { TokenRules } from "./workload-identity.ts";

/** The GitHub repository whose workflows get access, and what they need to publish. */
export interface GithubTrust {
  /** `owner/name`, in any letter case. */
  repository: string;
  /** Numeric ids of the repository and its owner, which GitHub never reuses. */
  ids?: { repository: string; owner: string };
  /** Refs that can publish, such as `refs/heads/main` and `refs/tags/v*`. */
  refs: readonly string[];
  /** Environment that a job needs to publish, in any letter case. */
  environment: string;
}

/** Issuer of GitHub Actions' tokens. */
export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

/**
 * Longest expression in a mapping that Google accepts, in characters.
 * Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
 */
export const LONGEST_MAPPING = 2048;

/** Id of the provider for GitHub. */
export const GITHUB_PROVIDER_ID = "github";

/** Returns the rules for GitHub's tokens. */
export function githubTokenRules(trust: GithubTrust): TokenRules {
  return {
    displayName: "GitHub Actions",
    issuer: GITHUB_ISSUER,
    attributeMapping: attributeMapping(trust),
    attributeCondition: attributeCondition(trust),
  };
}

/**
 * Returns the condition (CEL) that accepts tokens of one repository only.
 * Source of the claims: https://docs.github.com/actions/reference/security/oidc
 */
export function attributeCondition({ repository, ids }: GithubTrust): string {
  return ids === undefined
    ? `assertion.repository.lowerAscii() == ${quoted(lowerAscii(repository))}`
    : `assertion.repository_id == '${ids.repository}' && assertion.repository_owner_id == '${ids.owner}'`;
}

/** Matches the drift job by its workflow file on main, even after the repository was renamed. */
const DRIFT =
  "assertion.event_name == 'workflow_dispatch' && assertion.ref == 'refs/heads/main' && " +
  "assertion.workflow_ref == assertion.repository + '/.github/workflows/drift.yml@refs/heads/main'";

/**
 * Returns the mapping of a token's claims to attributes. Accounts are bound to `attribute.access`: `drift` for the drift
 * job, `publish` for pushes and manual runs on the trusted refs in the trusted environment, `preview` for pull requests,
 * and `none` for everything else.
 *
 * A ref alone is not enough. `pull_request_target` has the main branch as its ref, and anyone with write access can tag
 * a commit with another workflow. GitHub's rules restrict the environment.
 *
 * The subject is the run. GitHub's own subject contains ref and environment, and Google refuses more than 127 bytes.
 */
export function attributeMapping({ refs, environment }: GithubTrust): Record<string, string> {
  const trusted = refs.map((ref) =>
    ref.endsWith("*")
      ? `assertion.ref.startsWith(${quoted(ref.slice(0, -1))})`
      : `assertion.ref == ${quoted(ref)}`,
  );
  const publishes = [
    "assertion.event_name in ['push', 'workflow_dispatch']",
    // A job without an environment has no such claim.
    `has(assertion.environment) && assertion.environment.lowerAscii() == ${quoted(lowerAscii(environment))}`,
    `(${trusted.join(" || ")})`,
  ].join(" && ");
  return {
    "google.subject": "assertion.repository_id + ':' + assertion.run_id",
    "attribute.repository": "assertion.repository",
    "attribute.access": `${DRIFT} ? 'drift' : (${publishes} ? 'publish' : (assertion.event_name == 'pull_request' ? 'preview' : 'none'))`,
  };
}

/** Quotes a text for CEL. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** Does the same as CEL's function. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

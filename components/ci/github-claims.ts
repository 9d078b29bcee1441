import type { TokenRules } from "./workload-identity.ts";

/** What of GitHub Actions is let in, and what may publish. */
export interface GithubTrust {
  /** `owner/name`. */
  repository: string;
  /** Numeric ids of the repository and its owner; they outlive a renamed or re-registered name. */
  ids?: { repository: string; owner: string };
  /** Refs whose pushes may publish, such as `refs/heads/main` and `refs/tags/v*`. */
  refs: readonly string[];
}

/** Ids of the workload identity pool of GitHub and of the provider in it. */
export const GITHUB_IDENTITY = { poolId: "hyperion-github", providerId: "github" };

/** What Google has to know of GitHub's tokens. */
export function githubTokenRules(trust: GithubTrust): TokenRules {
  return {
    displayName: "GitHub Actions",
    issuer: "https://token.actions.githubusercontent.com",
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
    ? `assertion.repository == '${repository}'`
    : `assertion.repository_id == '${ids.repository}' && assertion.repository_owner_id == '${ids.owner}'`;
}

/**
 * What a token becomes. `attribute.access` is what accounts are bound to: `publish` for pushes and
 * manual runs on the trusted refs, `preview` for pull requests, `none` for all else. A ref alone
 * would not do: `pull_request_target` carries the main branch as its ref.
 */
export function attributeMapping({ refs }: GithubTrust): Record<string, string> {
  const trusted = refs.map((ref) =>
    ref.endsWith("*") ? `assertion.ref.startsWith('${ref.slice(0, -1)}')` : `assertion.ref == '${ref}'`,
  );
  const publishes = `assertion.event_name in ['push', 'workflow_dispatch'] && (${trusted.join(" || ")})`;
  return {
    "google.subject": "assertion.sub",
    "attribute.repository": "assertion.repository",
    "attribute.access": `${publishes} ? 'publish' : (assertion.event_name == 'pull_request' ? 'preview' : 'none')`,
  };
}

import { closest, distance } from "fastest-levenshtein";

const EMAIL = /^[a-z0-9._%+'-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/;
const DOMAIN = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;
const PROJECT_ID = String.raw`(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]`;
const NUMBERED = String.raw`iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools`;
/**
 * A workforce pool belongs to an organization, a workload identity pool to a project number.
 * Sources of the ids: https://cloud.google.com/iam/docs/reference/rest/v1/locations.workforcePools/create,
 * https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools/create
 */
const POOL = String.raw`(?:${NUMBERED}/[a-z0-9-]{4,32}|iam\.googleapis\.com/locations/global/workforcePools/[a-z][a-z0-9-]{4,61}[a-z0-9])`;
/** GKE's pool for the workloads of a project. */
const GKE = String.raw`${NUMBERED}/${PROJECT_ID}\.svc\.id\.goog`;
/** A Kubernetes name: https://kubernetes.io/docs/concepts/overview/working-with-objects/names */
const KUBERNETES = "[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?";
const CLUSTER = String.raw`https://container\.googleapis\.com/v1/projects/${PROJECT_ID}/locations/[a-z0-9-]+/clusters/[a-z0-9-]+`;
/** An identity provider can use any visible characters. */
const NAME = String.raw`[^\s\p{C}]+`;

/**
 * The kinds of principals that a list can hold, and the form of the rest.
 * Sources: https://cloud.google.com/iam/docs/principal-identifiers; for GKE
 * https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity
 */
const FORMS: Readonly<Record<string, { rest: RegExp; example: string }>> = {
  "user:": { rest: EMAIL, example: "user:dana@example.com" },
  "group:": { rest: EMAIL, example: "group:devs@example.com" },
  "serviceAccount:": {
    // In a domain-scoped project, App Engine's account has the domain before a colon. Others have it after the @.
    rest: /^[a-z0-9-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$|^[a-z0-9.-]+:[a-z0-9-]+@appspot\.gserviceaccount\.com$|^(?:[a-z0-9.-]+:)?[a-z0-9-]+\.svc\.id\.goog\[[a-z0-9-]+\/[a-z0-9.-]+\]$/,
    example: "serviceAccount:deploy@my-project.iam.gserviceaccount.com",
  },
  "domain:": { rest: DOMAIN, example: "domain:example.com" },
  "principal://": {
    rest: new RegExp(
      `^(?:${POOL}/subject/${NAME}|${GKE}/(?:subject/ns/${KUBERNETES}/sa/${KUBERNETES}|kubernetes\\.serviceaccount\\.uid/[0-9a-f-]{36}))$`,
      "u",
    ),
    example:
      "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/my-pool/subject/my-subject",
  },
  "principalSet://": {
    rest: new RegExp(
      `^(?:${POOL}/(?:group/${NAME}|attribute\\.[a-z0-9_]+/${NAME}|\\*)` +
        `|${GKE}/(?:namespace/${KUBERNETES}|kubernetes\\.cluster/${CLUSTER})` +
        `|cloudresourcemanager\\.googleapis\\.com/(?:projects|folders|organizations)/\\d+/type/Service(?:Account|Agent))$`,
      "u",
    ),
    example:
      "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/my-pool/group/my-group",
  },
};

/** Every Google account in the world, which is public in all but name. */
export const ALL_AUTHENTICATED_USERS = "allAuthenticatedUsers";

const ALLOWED_PRINCIPALS = [...Object.keys(FORMS), ALL_AUTHENTICATED_USERS].join(", ");

/**
 * Returns what is allowed instead of an invalid principal, and a correction if there is one. Undefined for a valid one.
 */
export function principalProblem(principal: string): { allowed: string; instead?: string } | undefined {
  if (principal === ALL_AUTHENTICATED_USERS) return undefined;
  if (principal === "allUsers") return { allowed: "principals by name; for everyone, set publicAccess" };
  if (principal.startsWith("deleted:")) {
    return {
      allowed: "principals that exist; a deleted one gets its access back only under its new identity",
    };
  }
  if (principal.length > 512) return { allowed: "at most 512 characters" };
  const form = Object.keys(FORMS).find((prefix) => principal.startsWith(prefix));
  if (form === undefined) {
    const instead = nearest(principal);
    return { allowed: `a principal: ${ALLOWED_PRINCIPALS}`, ...(instead !== undefined && { instead }) };
  }
  const { rest, example } = FORMS[form] ?? { rest: EMAIL, example: "" };
  const name = principal.slice(form.length);
  const lowered = form + name.toLowerCase();
  if (!form.endsWith("//") && lowered !== principal && principalProblem(lowered) === undefined) {
    return { allowed: "lower case, as Google stores it", instead: lowered };
  }
  return rest.test(name) ? undefined : { allowed: `the form ${example}`, instead: example };
}

/** Adds a missing kind, or corrects a misspelled one. Returns undefined if the result is invalid. */
function nearest(principal: string): string | undefined {
  if (distance(principal.toLowerCase(), ALL_AUTHENTICATED_USERS.toLowerCase()) <= 3) {
    return ALL_AUTHENTICATED_USERS;
  }
  const meant = principal.includes(":") ? withNearestKind(principal) : withKind(principal.toLowerCase());
  return meant !== undefined && principalProblem(meant) === undefined ? meant : undefined;
}

function withKind(name: string): string | undefined {
  if (DOMAIN.test(name)) return `domain:${name}`;
  if (!EMAIL.test(name)) return undefined;
  return name.endsWith(".gserviceaccount.com") ? `serviceAccount:${name}` : `user:${name}`;
}

function withNearestKind(principal: string): string | undefined {
  const [kind = "", ...rest] = principal.split(":");
  const kinds = Object.keys(FORMS).map((prefix) => prefix.replace(/:.*/, ""));
  const match = kinds.find((k) => k.toLowerCase() === kind.toLowerCase()) ?? closest(kind, kinds);
  return distance(match.toLowerCase(), kind.toLowerCase()) <= 3 ? [match, ...rest].join(":") : undefined;
}

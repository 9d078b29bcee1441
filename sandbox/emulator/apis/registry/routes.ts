import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { SignJWT } from "jose/jwt/sign";
import { ANONYMOUS } from "../../support/policies/principals.ts";
import { isAllowed } from "../../support/policies/access.ts";
import type { OpenRoute } from "../../support/http/route.ts";
import { LOCATION } from "../../support/store.ts";
import { type Caller, InvalidTokenError, verifyAccessToken } from "../../../lib/tokens.ts";
import type { Context } from "../../support/context.ts";
import { REGISTRY_TOKEN_ISSUER } from "../../support/registry/config.ts";

/** Actions on one resource that a token of the registry grants. */
interface Access {
  type: string;
  name: string;
  actions: string[];
}

/** Lifetime of a token of the registry, in seconds. Clients renew it themselves. */
const REGISTRY_TOKEN_SECONDS = 300;

/** User names for which Artifact Registry accepts an access token as the password. */
const TOKEN_USERS = ["oauth2accesstoken", "_token", "_dcgcloud_token"];

const PERMISSIONS: Readonly<Record<string, string>> = {
  pull: "artifactregistry.repositories.downloadArtifacts",
  push: "artifactregistry.repositories.uploadArtifacts",
  delete: "artifactregistry.repositories.deleteArtifacts",
};

/** An error of the registry, which docker prints as `denied: MESSAGE`. */
function refusal(status: 401 | 403, message: string): Response {
  const code = status === 401 ? "UNAUTHORIZED" : "DENIED";
  return Response.json({ errors: [{ code, message }] }, { status });
}

/** Parses `repository:P/R/IMAGE:pull,push`; undefined if the text is not a scope. */
function parseScope(scope: string): Access | undefined {
  const parts = /^([a-z]+(?:\([a-z]+\))?):(.+):([a-z*,]+)$/.exec(scope);
  if (parts?.[1] === undefined || parts[2] === undefined || parts[3] === undefined) return undefined;
  return { type: parts[1], name: parts[2], actions: parts[3].split(",") };
}

/** The API's name of an image's repository. */
function repositoryOf(image: string): string {
  const [project = "", repository = ""] = image.split("/");
  return `projects/${project}/locations/${LOCATION}/repositories/${repository}`;
}

interface Decision {
  granted: Access;
  /** The first missing permission and its resource. */
  missing?: { permission: string; resource: string };
}

function decide(context: Context, caller: Caller, access: Access): Decision {
  if (access.type !== "repository") return { granted: { ...access, actions: [] } };
  const resource = repositoryOf(access.name);
  const exists = resource in context.store.state.repositories && access.name.split("/").length > 2;
  const wanted = access.actions.flatMap((action) => (action === "*" ? Object.keys(PERMISSIONS) : [action]));
  const allowed = (action: string): boolean => {
    const permission = PERMISSIONS[action];
    return exists && permission !== undefined && isAllowed(context, caller, permission, resource);
  };
  const actions = wanted.filter(allowed);
  const denied = wanted.find((action) => !actions.includes(action));
  return {
    granted: { ...access, actions },
    ...(denied !== undefined && { missing: { permission: PERMISSIONS[denied] ?? denied, resource } }),
  };
}

/** Signs a token for the registry `service` (https://distribution.github.io/distribution/spec/auth/jwt/). */
async function registryToken(
  { files }: Context,
  service: string,
  subject: string,
  access: Access[],
  now: Date,
): Promise<string> {
  const [key, certificate] = await Promise.all([readFile(files.key), readFile(files.certificate)]);
  const seconds = Math.floor(now.getTime() / 1000);
  return new SignJWT({ access })
    .setProtectedHeader({
      alg: "RS256",
      typ: "JWT",
      x5c: [new X509Certificate(certificate).raw.toString("base64")],
    })
    .setIssuer(REGISTRY_TOKEN_ISSUER)
    .setAudience(service)
    .setSubject(subject)
    .setJti(randomUUID())
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setExpirationTime(seconds + REGISTRY_TOKEN_SECONDS)
    .sign(createPrivateKey(key));
}

interface TokenRequest {
  service: string;
  scopes: string[];
  /** The password is an access token. */
  credential: { user: string; password: string } | undefined;
}

async function answer(context: Context, { service, scopes, credential }: TokenRequest): Promise<Response> {
  let caller = ANONYMOUS;
  if (credential) {
    if (!TOKEN_USERS.includes(credential.user))
      return refusal(
        401,
        `The user name must be ${TOKEN_USERS.join(", ")}, with an access token as the password; got "${credential.user}".`,
      );
    try {
      caller = await verifyAccessToken(context.sandboxDir, credential.password, context.now());
    } catch (error) {
      if (!(error instanceof InvalidTokenError)) throw error;
      return refusal(
        401,
        `Unauthenticated request: ${error.message}. Unauthenticated requests do not have permission to anything private.`,
      );
    }
  }
  const requested = scopes.map(parseScope).filter((scope) => scope !== undefined);
  const decisions = requested.map((scope) => decide(context, caller, scope));
  // The other scopes of a push ask whether layers can be mounted from other repositories. A refusal there is not an error.
  const isPush = requested.some(({ actions }) => actions.includes("push"));
  const refused = decisions.find(
    ({ missing }, index) => missing && (!isPush || requested[index]?.actions.includes("push") === true),
  )?.missing;
  if (refused) {
    context.log(
      `token refused: ${caller.principal || "anonymous"} lacks ${refused.permission} on ${refused.resource}`,
    );
    return refusal(
      403,
      `Permission "${refused.permission}" denied on resource "${refused.resource}" (or it may not exist)`,
    );
  }
  const access = decisions.map(({ granted }) => granted).filter(({ actions }) => actions.length > 0);
  const now = context.now();
  const token = await registryToken(context, service, caller.principal, access, now);
  return Response.json({
    token,
    access_token: token,
    expires_in: REGISTRY_TOKEN_SECONDS,
    issued_at: now.toISOString(),
  });
}

function basicCredential(header: string | null): TokenRequest["credential"] {
  const encoded = /^Basic (.+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [user = "", ...password] = Buffer.from(encoded, "base64").toString().split(":");
  return { user, password: password.join(":") };
}

/** The registry's token server (https://distribution.github.io/distribution/spec/auth/token/). */
export const routes: OpenRoute[] = [
  {
    method: "GET",
    path: "token",
    open: (request, context) => {
      const query = new URL(request.url).searchParams;
      return answer(context, {
        service: query.get("service") ?? "",
        scopes: query.getAll("scope").flatMap((scope) => scope.split(" ")),
        credential: basicCredential(request.headers.get("authorization")),
      });
    },
  },
  {
    method: "POST",
    path: "token",
    open: async (request, context) => {
      const form = new URLSearchParams(await request.text());
      const refresh = form.get("refresh_token");
      const user = form.get("username") ?? "";
      return answer(context, {
        service: form.get("service") ?? "",
        scopes: form.getAll("scope").flatMap((scope) => scope.split(" ")),
        credential:
          refresh !== null
            ? { user: "oauth2accesstoken", password: refresh }
            : { user, password: form.get("password") ?? "" },
      });
    },
  },
];

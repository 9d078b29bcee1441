import * as errors from "jose/errors";
import { jwtVerify } from "jose/jwt/verify";
import { createLocalJWKSet } from "jose/jwks/local";
import { githubKeys, type GithubRun, signForGithub } from "../github-issuer.ts";
import type { Context } from "../context.ts";
import { GithubError } from "./errors.ts";

/** Who calls GitHub's API. */
export interface GithubCaller {
  login: string;
  /** Permissions of a job's token: `{ issues: "write" }`. A person's token has none. */
  permissions?: Record<string, string>;
  /** The workflow run of a job's token. */
  run?: GithubRun;
}

const AUDIENCE = "https://api.github.com";

/** Lifetime of a token of GitHub's API, in seconds: a working day. */
const TOKEN_SECONDS = 12 * 3600;

/** A token for GitHub's API: a person's or, with `permissions`, a job's. */
export async function mintGithubApiToken(sandboxDir: string, caller: GithubCaller): Promise<string> {
  return signForGithub(sandboxDir, { ...caller, aud: AUDIENCE }, TOKEN_SECONDS);
}

/** @throws GithubError 401 without a valid token. */
export async function githubCaller(context: Context, request: Request): Promise<GithubCaller> {
  const token = /^(?:token|bearer) (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) throw new GithubError(401, "Requires authentication");
  try {
    const keys = createLocalJWKSet(await githubKeys(context.sandboxDir));
    const { payload } = await jwtVerify<GithubCaller>(token, keys, { audience: AUDIENCE });
    const { login, permissions, run } = payload;
    return { login, ...(permissions && { permissions }), ...(run && { run }) };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new GithubError(401, "Bad credentials");
    throw error;
  }
}

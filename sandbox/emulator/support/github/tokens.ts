import * as errors from "jose/errors";
import { jwtVerify } from "jose/jwt/verify";
import { createLocalJWKSet } from "jose/jwks/local";
import { githubKeys, type GithubRun, signForGithub } from "../github-issuer.ts";
import type { Context } from "../context.ts";
import { GithubError } from "./errors.ts";

/** Who calls GitHub's API. */
export interface GithubCaller {
  login: string;
  /** Of a workflow's token alone, which may do what its job declares: `{ issues: "write" }`. */
  permissions?: Record<string, string>;
  /** The run that a workflow's token is of. */
  run?: GithubRun;
}

const AUDIENCE = "https://api.github.com";

/** What a token of GitHub's API lives for, in seconds: a working day. */
const TOKEN_SECONDS = 12 * 3600;

/** A token for the emulated API of GitHub: a person's own, or, with `permissions`, that of a job. */
export async function mintGithubApiToken(sandboxDir: string, caller: GithubCaller): Promise<string> {
  return signForGithub(sandboxDir, { ...caller, aud: AUDIENCE }, TOKEN_SECONDS);
}

/** @throws GithubError without a good token. */
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

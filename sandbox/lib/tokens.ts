import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import * as errors from "jose/errors";
import { SignJWT } from "jose/jwt/sign";
import { jwtVerify } from "jose/jwt/verify";
import { sandboxPaths } from "./paths.ts";

/** Owner of every project of the sandbox, and administrator of its organization policies. */
export const MAINTAINER = "user:maintainer@example.com";

/** Lifetime of an access token, in seconds, where the caller asks for no other; Google's own default. */
export const ACCESS_TOKEN_SECONDS = 3600;

const ISSUER = "https://accounts.sandbox.hyperion.example";
const AUDIENCE = "https://sandbox.hyperion.example/apis";

/** What a federated identity brings along from the token that it was exchanged for. */
export interface Federation {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL`. */
  pool: string;
  /** `google.subject` as the provider's mapping computed it. */
  subject: string;
  /** `google.groups`. */
  groups: string[];
  /** Custom attributes by name, without the `attribute.` prefix. */
  attributes: Record<string, string>;
}

/** Who calls: the principal of an access token. */
export interface Caller {
  /** `user:...`, `serviceAccount:...` or `principal://...`. */
  principal: string;
  /** Only for a `principal://`. */
  federation?: Federation;
}

/** A token that is no access token of this sandbox; the message says why (expired, wrong signature, ...). */
export class InvalidTokenError extends Error {
  override readonly name = "InvalidTokenError";
}

/**
 * Signs an access token of the sandbox at `sandboxDir` with its key file; no server needs to run.
 * `principal` is `user:dana@example.com`, `serviceAccount:...` or, with `federation`, `principal://...`.
 */
export async function mintAccessToken(
  sandboxDir: string,
  principal: string,
  ttlSeconds: number = ACCESS_TOKEN_SECONDS,
  federation?: Federation,
): Promise<string> {
  const key = createPrivateKey(await readFile(sandboxPaths(sandboxDir).key));
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT(federation ? { federation } : {})
    .setProtectedHeader({ alg: "RS256", typ: "at+jwt" })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(principal)
    .setIssuedAt(now)
    .setExpirationTime(now + ttlSeconds)
    .sign(key);
}

/**
 * Checks signature, audience and expiry of an access token, at `now` (default: the present).
 * Throws `InvalidTokenError` on anything but a good token.
 */
export async function verifyAccessToken(
  sandboxDir: string,
  token: string,
  now: Date = new Date(),
): Promise<Caller> {
  const certificate = new X509Certificate(await readFile(sandboxPaths(sandboxDir).certificate));
  try {
    const { payload } = await jwtVerify<{ federation?: Federation }>(token, certificate.publicKey, {
      algorithms: ["RS256"],
      typ: "at+jwt",
      issuer: ISSUER,
      audience: AUDIENCE,
      currentDate: now,
    });
    if (payload.sub === undefined) throw new InvalidTokenError("the access token names no principal");
    return { principal: payload.sub, ...(payload.federation && { federation: payload.federation }) };
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new InvalidTokenError("the access token has expired");
    if (error instanceof errors.JOSEError)
      throw new InvalidTokenError(`not an access token of this sandbox: ${error.message}`);
    throw error;
  }
}

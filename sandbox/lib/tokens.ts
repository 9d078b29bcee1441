import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import * as errors from "jose/errors";
import { SignJWT } from "jose/jwt/sign";
import { jwtVerify } from "jose/jwt/verify";
import { sandboxPaths } from "./paths.ts";

/** Owner of the sandbox's projects and administrator of its organization policies. */
export const MAINTAINER = "user:maintainer@example.com";

/** Google's default lifetime of an access token, in seconds. */
export const ACCESS_TOKEN_SECONDS = 3600;

const ISSUER = "https://accounts.sandbox.hyperion.example";
const AUDIENCE = "https://sandbox.hyperion.example/apis";

/** Attributes of a federated identity. */
export interface Federation {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL`. */
  pool: string;
  /** `google.subject`. */
  subject: string;
  /** Custom attributes by name without the prefix `attribute.`. */
  attributes: Record<string, string>;
}

/** The principal of an access token. */
export interface Caller {
  /** `user:...`, `serviceAccount:...` or `principal://...`. */
  principal: string;
  /** Of a `principal://`. */
  federation?: Federation;
}

/** An access token is invalid; the message has the reason. */
export class InvalidTokenError extends Error {
  override readonly name = "InvalidTokenError";
}

/**
 * Signs an access token. Needs the sandbox's files only, no running service.
 *
 * @param principal `user:dana@example.com`, `serviceAccount:...` or, with `federation`, `principal://...`.
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

/** Public keys by the text of their certificates. Reading a key takes longer than checking a signature. */
const publicKeys = new Map<string, KeyObject>();

/** Checks signature, audience and expiry of an access token. @throws InvalidTokenError */
export async function verifyAccessToken(
  sandboxDir: string,
  token: string,
  now: Date = new Date(),
): Promise<Caller> {
  const certificate = await readFile(sandboxPaths(sandboxDir).certificate, "utf8");
  const publicKey = publicKeys.get(certificate) ?? new X509Certificate(certificate).publicKey;
  publicKeys.set(certificate, publicKey);
  try {
    const { payload } = await jwtVerify<{ federation?: Federation }>(token, publicKey, {
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

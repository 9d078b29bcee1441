import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { SignJWT } from "jose/jwt/sign";
import { sandboxPaths } from "../../../lib/paths.ts";
import { REGISTRY_TOKEN_ISSUER } from "./config.ts";

/** Actions on one resource that a token of the registry grants. */
export interface Access {
  type: string;
  name: string;
  actions: string[];
}

/** Lifetime of a token of the registry, in seconds. Clients renew it themselves. */
export const REGISTRY_TOKEN_SECONDS = 300;

/**
 * Signs a token for the registry `service` as specified by Distribution
 * (https://distribution.github.io/distribution/spec/auth/jwt/).
 */
export async function registryToken(
  sandboxDir: string,
  service: string,
  subject: string,
  access: Access[],
  now: Date,
): Promise<string> {
  const files = sandboxPaths(sandboxDir);
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

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";
import { writeWhole } from "./files.ts";
import type { SandboxPaths } from "./paths.ts";

/** The system's certificate bundle in Linux distributions. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

const YEARS_VALID = 5;

/** Creates missing files: key, certificate, certificate bundle and passphrase. */
export async function ensureKeys(paths: SandboxPaths): Promise<void> {
  await mkdir(paths.keys, { recursive: true, mode: 0o700 });
  if (!existsSync(paths.key) || !existsSync(paths.certificate)) await makeCertificate(paths);
  await writeBundle(paths);
  if (!existsSync(paths.passphrase))
    await writeWhole(paths.passphrase, randomBytes(24).toString("base64url"), 0o600);
}

async function makeCertificate(paths: SandboxPaths): Promise<void> {
  const { generate } = await import("selfsigned");
  const notAfterDate = new Date();
  notAfterDate.setFullYear(notAfterDate.getFullYear() + YEARS_VALID);
  // One hour ago, because the clocks of virtual machines and containers differ.
  const notBeforeDate = new Date(Date.now() - 3_600_000);
  const pair = await generate([{ name: "commonName", value: "localhost" }], {
    keySize: 2048,
    algorithm: "sha256",
    notBeforeDate,
    notAfterDate,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", digitalSignature: true, keyEncipherment: true, keyCertSign: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  await writeWhole(paths.key, pair.private, 0o600);
  await writeWhole(paths.certificate, pair.cert);
}

async function writeBundle(paths: SandboxPaths): Promise<void> {
  const bundle = `${systemAuthorities().trimEnd()}\n${await readFile(paths.certificate, "utf8")}`;
  await writeWhole(paths.certificateBundle, bundle);
}

function systemAuthorities(): string {
  const file = SYSTEM_BUNDLES.find((candidate) => existsSync(candidate));
  return file ? readFileSync(file, "utf8") : rootCertificates.join("\n");
}

import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SandboxPaths, sandboxPaths } from "./paths.ts";
import { ensureKeys } from "./keys.ts";

let paths: SandboxPaths;

beforeAll(async () => {
  paths = sandboxPaths(await mkdtemp(join(tmpdir(), "hyperion-keys-")));
  await ensureKeys(paths);
});

afterAll(() => rm(paths.root, { recursive: true }));

test("the certificate is valid for loopback only, and matches the key", async () => {
  const certificate = new X509Certificate(await readFile(paths.certificate));
  expect(certificate.checkHost("localhost")).toBe("localhost");
  expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(certificate.checkPrivateKey(createPrivateKey(await readFile(paths.key)))).toBe(true);
  expect(new Date(certificate.validTo).getFullYear()).toBe(new Date().getFullYear() + 5);
});

test("only the owner can read the key and the passphrase", async () => {
  for (const file of [paths.key, paths.passphrase]) expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(paths.keys)).mode & 0o777).toBe(0o700);
});

test("the bundle has the system's certificates and ours", async () => {
  const bundle = await readFile(paths.certificateBundle, "utf8");
  expect(bundle).toContain(await readFile(paths.certificate, "utf8"));
  expect(bundle.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(10);
});

test("a second call changes nothing", async () => {
  const before = await Promise.all(
    [paths.key, paths.certificate, paths.passphrase].map((file) => readFile(file)),
  );
  await ensureKeys(paths);
  const after = await Promise.all(
    [paths.key, paths.certificate, paths.passphrase].map((file) => readFile(file)),
  );
  expect(after).toEqual(before);
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Buckets, startBuckets } from "../../sandbox/emulator/testing/buckets.ts";
import { type Emulator, startEmulator } from "../../sandbox/emulator/server.ts";
import { ensureKeys } from "../../sandbox/lib/keys.ts";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { MAINTAINER, mintAccessToken } from "../../sandbox/lib/tokens.ts";
import { gcloudEnvironment, gcloudTokenFile } from "../../sandbox/services/gcloud-environment.ts";
import { commandIn, type Outcome, runCommand } from "../support/sandbox.ts";
import { endWatch, watchSandbox } from "../support/secrets/watching.ts";

const hasGcloud = (await runCommand("gcloud", ["--version"], process.env)).code === 0;

const PROJECT = "hyperion-sandbox";
const BUCKET = `${PROJECT}-pulumi-state`;
const [CI, PREVIEW] = ["hyperion-ci", "hyperion-ci-preview"].map(
  (name) => `${name}@${PROJECT}.iam.gserviceaccount.com`,
) as [string, string];

let dir: string;
let emulator: Emulator;
let buckets: Buckets;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "hyperion-team-"));
  await ensureKeys(sandboxPaths(dir));
  emulator = await startEmulator({ sandboxDir: dir, port: 0, registryPort: 1 });
  buckets = await startBuckets(emulator);
  watchSandbox(dir);
  const file = gcloudTokenFile(dir);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await mintAccessToken(dir, MAINTAINER), { mode: 0o600 });
  for (const project of [PROJECT, "production-471918"])
    await google("POST", `v1/projects/${project}/services/iam.googleapis.com:enable`, {});
}, 300_000);

afterAll(async () => {
  await endWatch(dir);
  await buckets.stop();
  await emulator.close();
  rmSync(dir, { recursive: true, force: true });
});

async function google(method: string, path: string, body?: object, as = MAINTAINER): Promise<Response> {
  const response = await fetch(`${path.startsWith("storage") ? `${buckets.url}/` : emulator.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${await mintAccessToken(dir, as)}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return response;
}

function script(...args: string[]): Promise<Outcome> {
  const env = {
    ...process.env,
    ...gcloudEnvironment(emulator.port, dir),
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${buckets.url}/storage/v1/`,
  };
  return commandIn(dir, "scripts/create-state-bucket.sh", ["--project", PROJECT, ...args], env);
}

describe.skipIf(!hasGcloud)(
  "scripts/create-state-bucket.sh with the real gcloud",
  { timeout: 300_000 },
  () => {
    test("makes both buckets and both keys before there are any accounts", async () => {
      const { code, output } = await script();
      expect(code, output).toBe(0);
      for (const what of [BUCKET, `${BUCKET}-images`]) expect(output).toContain(`+ bucket gs://${what}\n`);
      for (const what of ["pulumi-state", "pulumi-state-images"]) expect(output).toContain(`+ key ${what}\n`);
      expect(output).toContain(`- ${CI} does not exist yet: nothing granted\n`);
      const made = (await (await google("GET", `storage/v1/b/${BUCKET}-images`)).json()) as object;
      expect(made).toMatchObject({
        location: "US-CENTRAL1",
        versioning: { enabled: true },
        iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: "enforced" },
      });
    });

    test("then grants the accounts what is theirs", async () => {
      for (const accountId of ["hyperion-ci", "hyperion-ci-preview"])
        await google("POST", `v1/projects/${PROJECT}/serviceAccounts`, { accountId, serviceAccount: {} });
      const { code, output } = await script();
      expect(code, output).toBe(0);
      const granted = output.split("\n").filter((line) => line.startsWith("+"));
      expect(granted).toEqual([
        `+ serviceAccount:${CI}: roles/storage.objectUser on gs://${BUCKET}-images`,
        `+ serviceAccount:${CI}: roles/cloudkms.cryptoKeyEncrypterDecrypter on the key pulumi-state-images`,
        `+ serviceAccount:${PREVIEW}: roles/storage.objectViewer on gs://${BUCKET}`,
        `+ serviceAccount:${PREVIEW}: roles/cloudkms.cryptoKeyDecrypter on the key pulumi-state`,
        `+ serviceAccount:${PREVIEW}: roles/storage.objectViewer on gs://${BUCKET}-images`,
        `+ serviceAccount:${PREVIEW}: roles/cloudkms.cryptoKeyDecrypter on the key pulumi-state-images`,
      ]);
    });

    test("changes nothing when it runs again", async () => {
      const before = structuredClone(emulator.context.store.state);
      const { code, output } = await script();
      expect(code, output).toBe(0);
      expect(output).not.toMatch(/^\+/m);
      expect(emulator.context.store.state).toEqual(before);
    });

    test("finds what CI may still do on the infrastructure's state, and its command takes that back", async () => {
      const env = {
        ...process.env,
        ...gcloudEnvironment(emulator.port, dir),
        CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${buckets.url}/storage/v1/`,
      };
      const member = ["--member", `serviceAccount:${CI}`, "--role", "roles/storage.objectUser", "--quiet"];
      const on = ["storage", "buckets", "add-iam-policy-binding", `gs://${BUCKET}`];
      expect(await commandIn(dir, "gcloud", [...on, ...member], env)).toMatchObject({ code: 0 });
      const { output } = await script();
      const command = /^ {2}gcloud (storage buckets remove-iam-policy-binding .*)$/m.exec(output)?.[1];
      expect(command).toBeDefined();
      const taken = await commandIn(dir, "gcloud", [...String(command).split(" "), "--quiet"], env);
      expect(taken.code, taken.output).toBe(0);
      expect((await script()).output).not.toContain("CI may still write");
    });

    test("refuses a bucket of that name in another project", async () => {
      await google("POST", "v1/projects/production-471918/services/storage.googleapis.com:enable", {});
      await google("POST", "storage/v1/b?project=production-471918", { name: "taken" });
      const { code, output } = await script("--bucket", "taken");
      expect(code).toBe(1);
      expect(output).toContain("Stopped: gs://taken is of another project, number 123456789012;");
    });
  },
);

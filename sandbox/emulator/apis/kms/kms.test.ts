import { beforeEach, expect, it } from "vitest";
import { PROJECT, type TestEmulator, testEmulator } from "../../testing/emulator.ts";

const RINGS = `v1/${PROJECT}/locations/us-central1/keyRings`;
const KEYS = `${RINGS}/ring/cryptoKeys`;
const DANA = "user:dana@example.com";

let emulator: TestEmulator;

beforeEach(async () => {
  emulator = await testEmulator("cloudkms");
});

it("creates a key in a ring once, with its rotation period", async () => {
  const key = { purpose: "ENCRYPT_DECRYPT", rotationPeriod: "7776000s" };
  expect(await emulator.call("POST", `${KEYS}?cryptoKeyId=key`, key)).toMatchObject({ status: 404 });
  await emulator.ok("POST", `${RINGS}?keyRingId=ring`, {});
  await emulator.ok("POST", `${KEYS}?cryptoKeyId=key`, key);
  expect(await emulator.ok("GET", `${KEYS}/key`)).toMatchObject({ ...key, name: `${KEYS.slice(3)}/key` });
  expect(await emulator.ok("GET", `${RINGS}/ring`)).toMatchObject({ name: `${RINGS.slice(3)}/ring` });
  for (const path of [`${RINGS}?keyRingId=ring`, `${KEYS}?cryptoKeyId=key`])
    expect(await emulator.call("POST", path, path.includes("crypto") ? key : {})).toMatchObject({
      status: 409,
    });
});

it.each([`${RINGS}/none`, `${KEYS}/none`, `${KEYS}/none:getIamPolicy`])("does not find %s", async (path) => {
  expect(await emulator.call("GET", path)).toMatchObject({ status: 404 });
});

it("refuses an invalid id", async () => {
  expect(await emulator.call("POST", `${RINGS}?keyRingId=a.b`, {})).toMatchObject({ status: 400 });
});

it("has a policy for each key, which others have no permission to set", async () => {
  await emulator.ok("POST", `${RINGS}?keyRingId=ring`, {});
  await emulator.ok("POST", `${KEYS}?cryptoKeyId=key`, { purpose: "ENCRYPT_DECRYPT" });
  const bindings = [{ role: "roles/cloudkms.cryptoKeyDecrypter", members: [DANA] }];
  const set = { policy: { bindings } };
  expect(await emulator.call("POST", `${KEYS}/key:setIamPolicy`, set, DANA)).toMatchObject({ status: 403 });
  await emulator.ok("POST", `${KEYS}/key:setIamPolicy`, set);
  expect(await emulator.ok("GET", `${KEYS}/key:getIamPolicy`)).toMatchObject({ bindings });
});

import { expect, test } from "vitest";
import { enable, NUMBER, PROJECT, finished, refusal, testEmulator } from "../../testing/emulator.ts";

const emulator = await testEmulator();

const LIST = `v1/${PROJECT}/services?fields=services/name,nextPageToken&filter=state:ENABLED&pageSize=200`;

test("enabled services are listed by the project's number, limited to the requested fields", async () => {
  await enable(emulator, "artifactregistry");
  const names = ["artifactregistry", "cloudkms", "cloudresourcemanager", "iam", "orgpolicy", "serviceusage"];
  expect(await emulator.ok("GET", LIST)).toEqual({
    services: [...names, "storage"].map((name) => ({ name: `${NUMBER}/services/${name}.googleapis.com` })),
  });
});

test("several services are enabled in one request", async () => {
  const serviceIds = ["sts.googleapis.com", "containerscanning.googleapis.com"];
  const operation = await emulator.ok("POST", `v1/${PROJECT}/services:batchEnable`, { serviceIds });
  expect(await finished(emulator, operation)).toMatchObject({
    response: { services: [{ state: "ENABLED" }, { state: "ENABLED" }] },
  });
});

test("enabling an enabled service returns an operation", async () => {
  const path = `v1/${PROJECT}/services/iam.googleapis.com`;
  const operation = await finished(emulator, await emulator.ok("POST", `${path}:enable`, {}));
  expect(operation).toMatchObject({ response: { service: { state: "ENABLED" } } });
  await emulator.ok("POST", `${path}:disable`, {});
  expect(await emulator.ok("GET", path)).toMatchObject({ state: "DISABLED" });
});

test("a service that does not exist is refused", async () => {
  const path = `v1/${PROJECT}/services/artefacts.googleapis.com:enable`;
  expect(await emulator.call("POST", path, {})).toMatchObject(
    refusal(403, "Not found or permission denied for service(s): artefacts.googleapis.com."),
  );
});

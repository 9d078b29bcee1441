import { expect, test } from "vitest";
import { enable, NUMBER, PROJECT, finished, refusal, testEmulator } from "../../testing/emulator.ts";

const emulator = await testEmulator();

const LIST = `v1/${PROJECT}/services?fields=services/name,nextPageToken&filter=state:ENABLED&pageSize=200`;

test("enabled services are listed by the project's number, limited to the requested fields", async () => {
  await enable(emulator, "artifactregistry");
  const names = [
    "artifactregistry",
    ...["cloudkms", "cloudresourcemanager", "iam", "orgpolicy", "serviceusage"],
  ];
  names.push("storage");
  expect(await emulator.ok("GET", LIST)).toEqual({
    services: names.map((name) => ({ name: `${NUMBER}/services/${name}.googleapis.com` })),
  });
});

test("enabling returns an operation each time", async () => {
  const path = `v1/${PROJECT}/services/iam.googleapis.com`;
  for (let time = 0; time < 2; time++) {
    const operation = await finished(emulator, await emulator.ok("POST", `${path}:enable`, {}));
    expect(operation).toMatchObject({ response: { service: { state: "ENABLED" } } });
  }
  expect(await emulator.ok("GET", path)).toMatchObject({ state: "ENABLED" });
  await emulator.ok("POST", `${path}:disable`, {});
  expect(await emulator.ok("GET", path)).toMatchObject({ state: "DISABLED" });
});

test("several services are enabled and read in one request", async () => {
  const serviceIds = ["sts.googleapis.com", "orgpolicy.googleapis.com"];
  await emulator.ok("POST", `v1/${PROJECT}/services:batchEnable`, { serviceIds });
  const names = serviceIds.map((id) => `names=${PROJECT}/services/${id}`).join("&");
  const answer = await emulator.ok("GET", `v1/${PROJECT}/services:batchGet?${names}`);
  expect(answer).toMatchObject({ services: [{ state: "ENABLED" }, { state: "ENABLED" }] });
});

test("a service that does not exist is refused", async () => {
  const path = `v1/${PROJECT}/services/artefacts.googleapis.com:enable`;
  expect(await emulator.call("POST", path, {})).toMatchObject(
    refusal(403, "Not found or permission denied for service(s): artefacts.googleapis.com."),
  );
});

test("a project has a number", async () => {
  expect(await emulator.ok("GET", `v1/${PROJECT}`)).toMatchObject({
    projectId: "production-471918",
    projectNumber: "123456789012",
    lifecycleState: "ACTIVE",
    parent: { type: "organization", id: "100000000001" },
  });
});

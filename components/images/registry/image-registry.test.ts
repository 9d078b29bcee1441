import { expect, test } from "vitest";
import { FakeRegistry, REGISTRY_URL } from "../../../test/support/fake-registry.ts";
import { ImageRegistry } from "./image-registry.ts";

const login = () => Promise.resolve({ username: "oauth2accesstoken", password: "secret" });
const PULL = "TOKEN repository:production-471918/hyperion-public/ui:pull";

test("logs in at the registry's token server, once for concurrent requests", async () => {
  const fake = new FakeRegistry();
  fake.add("ui", "application/json", {}, "latest");
  const registry = new ImageRegistry(REGISTRY_URL, login);
  const read = () => registry.request("ui", "manifests/latest");
  const answers = await Promise.all([read(), read()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(fake.requests.filter((request) => request.startsWith("TOKEN"))).toEqual([PULL]);
  expect(fake.logins).toEqual([`Basic ${Buffer.from("oauth2accesstoken:secret").toString("base64")}`]);
  fake.requests.length = 0;
  await read();
  expect(fake.requests).toEqual(["GET ui/manifests/latest"]);
  await registry.request("ui", "manifests/other", { method: "PUT", body: new Uint8Array() });
  expect(fake.requests).toContain(PULL.replace(/pull$/, "push,pull"));
});

test("requests a token without a login if there is none", async () => {
  const fake = new FakeRegistry();
  await new ImageRegistry(REGISTRY_URL, () => Promise.resolve(undefined)).request("ui", "manifests/latest");
  expect(fake.logins).toEqual([null]);
});

test.each([
  [[503], 404],
  [[503, 429, 500], 500],
  [[403], 403],
])("retries after %j and returns %d", async (failures, status) => {
  const fake = new FakeRegistry();
  fake.failures.push(...failures);
  const answer = await new ImageRegistry(REGISTRY_URL, login).request("ui", "manifests/latest");
  expect(answer.status).toBe(status);
});

test("reports a registry that does not answer", async () => {
  const request = new ImageRegistry("127.0.0.1:9/p", login).request("ui", "manifests/latest");
  await expect(request).rejects.toThrow(
    /127\.0\.0\.1:9\/p\n {2}found: {3}the registry did not answer \(fetch failed: .*\)\n/,
  );
});

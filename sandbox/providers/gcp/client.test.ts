import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { checkSettings, readSettings } from "./settings.ts";
import { type Answer, FakeGoogle, failure, type Seen } from "../testing/fake-google.ts";
import { listen } from "../../../test/support/listen.ts";
import { clientOf } from "../testing/support.ts";

let fake: FakeGoogle;

const signal = new AbortController().signal;

async function get(answer: (request: Seen, before: Seen[]) => Answer | undefined): Promise<unknown> {
  fake = await FakeGoogle.start(answer);
  return clientOf(fake).send({ api: "artifactRegistry", method: "GET", path: "projects/p", signal });
}

describe("GoogleClient", () => {
  afterEach(() => fake.stop());

  it("sends the token and alt=json", async () => {
    await get(() => ({ body: { ok: true } }));
    expect(fake.seen[0]).toMatchObject({ url: "/v1/projects/p?alt=json", authorization: "Bearer token" });
  });

  it("sends a quota project if it is turned on and named, as the real plugin does", async () => {
    fake = await FakeGoogle.start(() => ({ body: {} }));
    const named = { billingProject: "b" };
    const on = { userProjectOverride: "true" };
    for (const settings of [{}, named, on, { ...on, ...named }])
      await clientOf(fake, settings).send({ api: "orgPolicy", method: "GET", path: "projects/p", signal });
    expect(fake.seen.map(({ quotaProject }) => quotaProject)).toEqual([undefined, undefined, undefined, "b"]);
  });

  it.each([429, 500, 502, 503])("retries after %i", async (status) => {
    const result = await get((_, before) =>
      before.length < 3 ? failure(status, "later") : { body: { ok: true } },
    );
    expect(result).toEqual({ ok: true });
    expect(fake.seen).toHaveLength(4);
  });

  it("retries if the connection breaks", async () => {
    fake = await FakeGoogle.start(() => ({ body: { ok: true } }));
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const client = clientOf(fake);
    client.settings.bases.iam = `http://127.0.0.1:${await listen(server)}/`;
    await expect(client.send({ api: "iam", method: "GET", path: "x", signal })).rejects.toThrow(
      "socket hang up",
    );
    expect(connections).toBe(6);
    server.close();
  });

  it("fails after six attempts with Google's message", async () => {
    await expect(get(() => failure(503, "no more"))).rejects.toThrow("googleapi: Error 503: no more");
    expect(fake.seen).toHaveLength(6);
  });

  it.each([400, 401, 403, 404, 409, 501])("does not retry after %i", async (status) => {
    await expect(get(() => failure(status, "no"))).rejects.toThrow(`googleapi: Error ${status}: no`);
    expect(fake.seen).toHaveLength(1);
  });

  it("omits the details of an error", async () => {
    const body = { error: { code: 403, message: "disabled", details: [{ reason: "SERVICE_DISABLED" }] } };
    await expect(get(() => ({ status: 403, body }))).rejects.toThrow(/^googleapi: Error 403: disabled$/);
  });

  it("shows a body that is not an error of Google", async () => {
    await expect(get(() => ({ status: 418, body: "<html>teapot</html>" }))).rejects.toThrow(
      "googleapi: got HTTP response code 418 with body: <html>teapot</html>",
    );
  });

  it("stops when it is aborted", async () => {
    fake = await FakeGoogle.start(() => failure(503, "later"));
    const stop = new AbortController();
    const sent = clientOf(fake).send({ api: "iam", method: "GET", path: "x", signal: stop.signal });
    stop.abort(new Error("cancelled"));
    await expect(sent).rejects.toThrow();
    expect(fake.seen.length).toBeLessThan(2);
  });

  it("reports a missing token without sending a request", async () => {
    fake = await FakeGoogle.start(() => ({ body: {} }));
    const client = clientOf(fake);
    client.settings.accessToken = "";
    await expect(client.send({ api: "iam", method: "GET", path: "x", signal })).rejects.toThrow(
      "GOOGLE_OAUTH_ACCESS_TOKEN",
    );
    expect(fake.seen).toHaveLength(0);
  });
});

describe("readSettings", () => {
  const bases = (environment: NodeJS.ProcessEnv) => readSettings({}, environment).bases;

  it("keeps or drops an endpoint's path as the real plugin does", () => {
    const GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT = "http://h/any/";
    expect(bases({ GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT }).artifactRegistry).toBe("http://h/any/");
    expect(bases({ GOOGLE_IAM_CUSTOM_ENDPOINT: "http://h/any/" }).iam).toBe("http://h/v1/");
    expect(bases({ GOOGLE_IAM_BETA_CUSTOM_ENDPOINT: "http://h/v1" }).iamBeta).toBe("http://h/v1/");
  });

  it("prefers settings to variables", () => {
    const environment = { GOOGLE_PROJECT: "variable", GOOGLE_OAUTH_ACCESS_TOKEN: "variable" };
    expect(readSettings({ project: "setting" }, environment)).toMatchObject({ project: "setting" });
    expect(readSettings({}, environment)).toMatchObject({ project: "variable", accessToken: "variable" });
  });

  it("names unsupported settings", () => {
    const reason = expect.stringContaining("the real gcp plugin does") as string;
    expect(checkSettings({ project: "p", batching: "{}" })).toEqual([{ property: "batching", reason }]);
  });
});

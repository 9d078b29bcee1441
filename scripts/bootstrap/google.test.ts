import { beforeEach, expect, it, vi } from "vitest";
import { resourceManager } from "../../google/apis.ts";
import { fakeGoogle } from "../../test/support/fake-google.ts";
import { Google, type Guarded } from "./google.ts";

const PROJECT: Guarded = {
  ...{ api: resourceManager, getMethod: "POST", getPath: "projects/p:getIamPolicy" },
  ...{ setMethod: "POST", setPath: "projects/p:setIamPolicy" },
  wrap: (policy) => ({ policy }),
};
const OWNER = { role: "roles/owner", members: ["user:owner@example.com"] };
const VIEWER = { role: "roles/viewer", members: ["user:dana@example.com"] };

beforeEach(() => vi.stubEnv("GOOGLE_OAUTH_ACCESS_TOKEN", "token"));

/** Adds a binding to a policy whose reads have these answers; returns what is written, or the error. */
async function add(...reads: { status: number; body: object }[]): Promise<unknown> {
  const written: unknown[] = [];
  await fakeGoogle({
    "POST /projects/p:getIamPolicy": () => reads.shift() ?? { status: 500 },
    "POST /projects/p:setIamPolicy": (body) => {
      written.push(JSON.parse(body));
      return { status: 200 };
    },
  });
  const change = new Google("p", [1, 1]).changePolicy(PROJECT, (before) => ({
    ...before,
    bindings: [...before.bindings, VIEWER],
  }));
  return change.then(
    () => written,
    (error: unknown) => [String(error), ...written],
  );
}

it.each([
  ["not found", { status: 404, body: {} }],
  ["disabled", { status: 403, body: { error: { details: [{ reason: "SERVICE_DISABLED" }] } } }],
])("reads a policy again if it is %s, and writes it only if a read succeeds", async (_, absent) => {
  const policy = { status: 200, body: { etag: "a", bindings: [OWNER] } };
  expect(await add(absent, absent, policy)).toEqual([
    { policy: { etag: "a", version: 3, bindings: [OWNER, VIEWER] } },
  ]);
  expect(await add(absent, absent, absent)).toEqual([expect.stringContaining("Google answered")]);
});

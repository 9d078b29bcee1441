import { OAuth2Client } from "google-auth-library";
import { describe, expect, it } from "vitest";
import { resourceManager } from "../../google/apis.ts";
import { Google, type Guarded } from "./google.ts";

const PROJECT: Guarded = {
  ...{ api: resourceManager, getMethod: "POST", getPath: "projects/p:getIamPolicy" },
  ...{ setMethod: "POST", setPath: "projects/p:setIamPolicy" },
  wrap: (policy) => ({ policy }),
};
const OWNER = { role: "roles/owner", members: ["user:owner@example.com"] };
const VIEWER = { role: "roles/viewer", members: ["user:dana@example.com"] };

interface Answer {
  status: number;
  data: unknown;
}

/** Google, which answers the reads of the policy in turn, and accepts each write. */
function answering(reads: readonly Answer[]): { google: Google; written: unknown[] } {
  const written: unknown[] = [];
  const left = [...reads];
  const login = Object.assign(new OAuth2Client(), {
    request: ({ url, data }: { url: string; data: unknown }) => {
      if (url.endsWith(":getIamPolicy")) return Promise.resolve(left.shift());
      written.push(data);
      return Promise.resolve({ status: 200, data: {} });
    },
  });
  return { google: new Google(login, "p", [1, 1]), written };
}

describe.each<[string, Answer]>([
  ["not found", { status: 404, data: {} }],
  ["disabled", { status: 403, data: { error: { details: [{ reason: "SERVICE_DISABLED" }] } } }],
])("a policy whose read is answered as %s", (_, absent) => {
  const add = (google: Google) =>
    google.changePolicy(PROJECT, (before) => ({ ...before, bindings: [...before.bindings, VIEWER] }));

  it("is read again, and keeps its other bindings", async () => {
    const policy = { status: 200, data: { etag: "a", bindings: [OWNER] } };
    const { google, written } = answering([absent, absent, policy]);
    await add(google);
    expect(written).toEqual([{ policy: { etag: "a", version: 3, bindings: [OWNER, VIEWER] } }]);
  });

  it("is not written if each read is answered so", async () => {
    const { google, written } = answering([absent, absent, absent]);
    await expect(add(google)).rejects.toThrow("Google answered");
    expect(written).toEqual([]);
  });
});

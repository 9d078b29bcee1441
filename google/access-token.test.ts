import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { endMocks } from "../test/support/mocks.ts";
import { accessToken } from "./access-token.ts";

const TOKEN = "ya29.the-token-of-the-plugin";

afterEach(endMocks);

/** Mocks the gcp plugin's client configuration. */
async function mockClientConfig(config: () => Record<string, unknown>): Promise<void> {
  await pulumi.runtime.setMocks({
    newResource: ({ type }) => {
      throw new Error(`unexpected resource ${type}`);
    },
    call: ({ token, inputs }) => {
      expect(token).toBe("gcp:organizations/getClientConfig:getClientConfig");
      expect(inputs).toEqual({});
      return config();
    },
  });
}

test.each([
  ["as plain text", TOKEN],
  ["as a secret", pulumi.secret(TOKEN)],
])("returns the plugin's token %s", async (_, token) => {
  await mockClientConfig(() => ({ accessToken: token }));
  expect(await accessToken()).toBe(TOKEN);
});

test("sends one request for concurrent calls, and another after five seconds", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  let requests = 0;
  await mockClientConfig(() => ({ accessToken: `token-${(requests += 1)}` }));
  expect(await Promise.all([accessToken(), accessToken()])).toEqual(["token-1", "token-1"]);
  vi.advanceTimersByTime(4999);
  expect(await accessToken()).toBe("token-1");
  vi.advanceTimersByTime(1);
  expect(await accessToken()).toBe("token-2");
});

test("fails if the plugin has no token", async () => {
  await mockClientConfig(() => ({}));
  await expect(accessToken()).rejects.toThrow("expected string, received undefined");
});

import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { accessToken } from "./access-token.ts";

const TOKEN = "ya29.the-token-of-the-plugin";

afterEach(() => vi.useRealTimers());

/** An engine whose gcp plugin answers so. */
async function answering(config: () => Record<string, unknown>): Promise<void> {
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
  ["in the clear", TOKEN],
  ["as a secret", pulumi.secret(TOKEN)],
])("returns the token that the plugin gives %s", async (_, token) => {
  await answering(() => ({ accessToken: token }));
  expect(await accessToken()).toBe(TOKEN);
});

test("asks once for calls of the same moment, and again five seconds later", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  let asked = 0;
  await answering(() => ({ accessToken: `token-${(asked += 1)}` }));
  expect(await Promise.all([accessToken(), accessToken()])).toEqual(["token-1", "token-1"]);
  vi.advanceTimersByTime(4999);
  expect(await accessToken()).toBe("token-1");
  vi.advanceTimersByTime(1);
  expect(await accessToken()).toBe("token-2");
});

test("says so where the plugin gives none", async () => {
  await answering(() => ({}));
  await expect(accessToken()).rejects.toThrow("expected string, received undefined");
});

import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { accessToken } from "./access-token.ts";

const TOKEN = "ya29.the-token-of-the-plugin";

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

test("says so where the plugin gives none", async () => {
  await answering(() => ({}));
  await expect(accessToken()).rejects.toThrow("expected string, received undefined");
});

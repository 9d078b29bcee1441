import { expect, test, vi } from "vitest";
import { catalogue } from "../components/images/catalogue.ts";
import { anonymousPull } from "./anonymous-pull.ts";

const REGISTRY = "us-central1-docker.pkg.dev/p/r";
const CHALLENGE = {
  "www-authenticate": 'Bearer realm="https://us-central1-docker.pkg.dev/v2/token",service="s"',
};

/** A registry that answers so to a request without a login, once a token was asked for; counts these answers. */
function answering(token: number, image: () => number): { count: number } {
  const asked = { count: 0 };
  vi.stubGlobal("fetch", (url: string, { headers = {} }: { headers?: Record<string, string> } = {}) => {
    if (url.includes("/token?")) return Promise.resolve(Response.json({ token: "t" }, { status: token }));
    if (headers["Authorization"] === undefined)
      return Promise.resolve(new Response("", { status: 401, headers: CHALLENGE }));
    asked.count += 1;
    return Promise.resolve(Response.json({}, { status: image() }));
  });
  return asked;
}

test.each([
  ["every image can be pulled", 200, "open"],
  ["an image does not exist", 404, "open"],
  ["the token has no permission", 403, "closed"],
  ["the token is refused", 401, "closed"],
])("%s", async (_, image, expected) => {
  answering(200, () => image);
  expect(await anonymousPull(REGISTRY, "open", 0)).toBe(expected);
});

test("another answer is an error", async () => {
  answering(200, () => 418);
  await expect(anonymousPull(REGISTRY, "open", 0)).rejects.toThrow("answered 418");
});

test("waits for a changed policy, for a limited time", async () => {
  const first = answering(200, () => (first.count > 2 * catalogue.images.length ? 403 : 200));
  expect(await anonymousPull(REGISTRY, "closed", 1, 0.01)).toBe("closed");
  const second = answering(200, () => 200);
  expect(await anonymousPull(REGISTRY, "closed", 0.02, 0.01)).toBe("open");
  expect(second.count).toBe(3 * catalogue.images.length);
});

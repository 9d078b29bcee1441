import { afterEach, expect, test, vi } from "vitest";
import { closes, pullsAnonymously } from "./check-closed.ts";

const IMAGE = "us-central1-docker.pkg.dev/p/r/hyperion-ui";
const TAGS = `https://${IMAGE}/tags/list`.replace("pkg.dev/", "pkg.dev/v2/");
const TOKEN =
  "https://us-central1-docker.pkg.dev/v2/token?service=us-central1-docker.pkg.dev&scope=repository%3Ap%2Fr%2Fhyperion-ui%3Apull";
const CHALLENGE = {
  "www-authenticate":
    'Bearer realm="https://us-central1-docker.pkg.dev/v2/token",service="us-central1-docker.pkg.dev"',
};

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A registry of Google's, with these answers to the token and to the image. */
function registry(token: number, image: () => number) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string, { headers = {} }: { headers?: Record<string, string> } = {}) => {
    const authorization = headers["Authorization"];
    asked.push(authorization === undefined ? url : `${url} with ${authorization}`);
    if (url.includes("/token?")) return Promise.resolve(Response.json({ token: "t" }, { status: token }));
    if (authorization === undefined)
      return Promise.resolve(new Response("", { status: 401, headers: CHALLENGE }));
    return Promise.resolve(Response.json({}, { status: image() }));
  });
  return asked;
}

test("a pull without a login asks for a token, then for the image with it", async () => {
  const asked = registry(200, () => 200);
  expect(await pullsAnonymously(IMAGE)).toBe(true);
  expect(asked).toEqual([TAGS, TOKEN, `${TAGS} with Bearer t`]);
});

test.each([
  ["nobody gets a token", 403, 200, false],
  ["the token is good for nothing", 200, 403, false],
  ["there is no such image", 200, 404, true],
])("where %s", async (_, token, image, open) => {
  registry(token, () => image);
  expect(await pullsAnonymously(IMAGE)).toBe(open);
});

test("an answer that is neither is an error", async () => {
  registry(200, () => 503);
  await expect(pullsAnonymously(IMAGE)).rejects.toThrow(`answered 503`);
});

test("a change of the policy is given its time, and no more", async () => {
  let looks = 0;
  registry(200, () => (++looks > 6 ? 403 : 200));
  expect(await closes("us-central1-docker.pkg.dev/p/r", 1, 0.01)).toBe(true);
  const asked = registry(200, () => 200);
  expect(await closes("us-central1-docker.pkg.dev/p/r", 0.02, 0.01)).toBe(false);
  expect(asked.filter((url) => url.endsWith("hyperion-ui/tags/list with Bearer t"))).toHaveLength(3);
});

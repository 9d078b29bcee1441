import { afterEach, describe, expect, it } from "vitest";
import { type Answer, FakeGoogle, failure, type Seen } from "../testing/fake-google.ts";
import { quietContext, resourceOn } from "../testing/support.ts";
import { service } from "./service.ts";

const ENABLE = "POST /v1/projects/p/services";

let fake: FakeGoogle;
afterEach(() => fake.stop());

/** Enables these APIs at the same time; returns the requests that are not reads. */
async function enableAll(names: string[], failing: (path: string) => boolean = () => false) {
  const on = new Set<string>();
  fake = await FakeGoogle.start(({ method, url, body }: Seen): Answer => {
    if (method === "GET")
      return { body: { services: [...on].map((name) => ({ name: `projects/1/services/${name}` })) } };
    if (failing(url)) return failure(403, "no");
    const { serviceIds } = body as { serviceIds?: string[] };
    for (const name of serviceIds ?? [/services\/([^:]+):/.exec(url)?.[1] ?? ""]) on.add(name);
    return { body: { name: "operations/o", done: true } };
  });
  const resource = resourceOn(service, fake);
  const outcomes = await Promise.allSettled(
    names.map((name) => resource.create({ service: name, disableOnDestroy: false }, quietContext())),
  );
  return { outcomes, posts: fake.requests.filter((request) => request.startsWith("POST")) };
}

describe("APIs that are enabled", () => {
  it("together are enabled in one request", async () => {
    const { outcomes, posts } = await enableAll(["a", "b", "c"]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    expect(posts).toEqual([`${ENABLE}:batchEnable`]);
    expect(fake.seen.find(({ method }) => method === "POST")?.body).toEqual({ serviceIds: ["a", "b", "c"] });
  });

  it("alone are enabled in a single request", async () => {
    expect((await enableAll(["a"])).posts).toEqual([`${ENABLE}/a:enable`]);
  });

  it("are enabled one at a time if the common request fails", async () => {
    const { outcomes, posts } = await enableAll(["a", "b"], (path) => /batch|\/b:/.test(path));
    expect(posts).toEqual([`${ENABLE}:batchEnable`, `${ENABLE}/a:enable`, `${ENABLE}/b:enable`]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  it("are not enabled again", async () => {
    await enableAll(["a"]);
    const before = fake.seen.length;
    await resourceOn(service, fake).create({ service: "a", disableOnDestroy: false }, quietContext());
    expect(fake.seen.slice(before).map(({ method }) => method)).toEqual(["GET"]);
  });
});

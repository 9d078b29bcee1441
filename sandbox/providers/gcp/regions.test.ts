import { afterEach, describe, expect, it } from "vitest";
import { FakeGoogle, failure } from "../testing/fake-google.ts";
import { clientOf, quietContext } from "../testing/support.ts";
import { GoogleClient } from "./client.ts";
import { askForRegions } from "./regions.ts";

let fake: FakeGoogle;
afterEach(() => fake.stop());

/** What is asked, and what is said of it, where these statuses are answered in turn. */
async function ask(statuses: number[], settings: Record<string, string> = {}) {
  fake = await FakeGoogle.start((_, before) => {
    const status = statuses[before.length] ?? 200;
    return status === 200 ? { body: {} } : failure(status, "no");
  });
  const context = quietContext();
  await askForRegions(clientOf(fake, settings), context);
  return { asked: fake.requests, said: context.lines };
}

describe("the regions", () => {
  const path = "GET /compute/v1/projects/p/regions";

  it("are asked for", async () => {
    expect(await ask([])).toEqual({ asked: [path], said: [] });
  });

  it("are asked for again where the answer passes", async () => {
    expect(await ask([503, 429])).toEqual({ asked: [path, path, path], said: [] });
  });

  it("are done without, and that is told", async () => {
    expect(await ask([403])).toEqual({
      asked: [path],
      said: ["warning: failed to get regions list: googleapi: Error 403: no"],
    });
  });

  it.each([{ skipRegionValidation: "true" }, { project: "" }])(
    "are not asked for with %o",
    async (settings) => {
      expect(await ask([], settings as Record<string, string>)).toEqual({ asked: [], said: [] });
    },
  );

  it("are not waited for where nobody answers", async () => {
    fake = await FakeGoogle.start(() => undefined);
    // With the waits of the real one.
    const client = new GoogleClient(clientOf(fake).settings);
    await fake.stop();
    const context = quietContext();
    const begin = performance.now();
    await askForRegions(client, context);
    expect(context.lines).toEqual([expect.stringContaining("failed to get regions list")]);
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});

import { describe, expect, test, vi } from "vitest";
import { fakeGoogle } from "../test/support/fake-google.ts";
import { declare } from "../test/support/mocks.ts";
import { artifactRegistry } from "./apis.ts";
import { lookUp } from "./existence.ts";

const NAME = "projects/production-471918/locations/us-central1/repositories/hyperion-public";

const ask = async <T>(question: () => Promise<T>): Promise<T> => (await declare(question)).result;

const disabled = JSON.stringify({ error: { code: 403, details: [{ reason: "SERVICE_DISABLED" }] } });

/** Ends each wait at once. */
function skipWaits(): void {
  vi.useFakeTimers({ toFake: ["setTimeout"] }).setTimerTickMode("nextTimerAsync");
}

describe("looking a resource up", () => {
  test.each<[string, number, string, string | undefined]>([
    ["a resource with a state", 200, JSON.stringify({ state: "DELETED" }), "DELETED"],
    ["a resource of a kind without a state", 200, JSON.stringify({ name: NAME }), "ACTIVE"],
    ["no resource", 404, "{}", undefined],
    ["an API that is not enabled yet", 403, disabled, undefined],
    [
      "an API that is not enabled yet, in a huge answer",
      403,
      JSON.stringify({
        error: { message: "x".repeat(5_000_000), details: [{ reason: "SERVICE_DISABLED" }] },
      }),
      undefined,
    ],
  ])("%s", async (_, status, text, expected) => {
    await fakeGoogle({ [`GET /${NAME}`]: { status, text } });
    expect((await ask(() => lookUp(artifactRegistry, NAME)))?.state).toBe(expected);
  });

  test.each<[string, number, string]>([
    ["a 403", 403, "{}"],
    ["a page of a proxy", 404 + 47, "<html>Unavailable For Legal Reasons</html>"],
    ["an empty answer", 401, ""],
  ])("fails on %s", async (_, status, text) => {
    await fakeGoogle({ [`GET /${NAME}`]: { status, text } });
    await expect(ask(() => lookUp(artifactRegistry, NAME))).rejects.toThrow(
      `Google answered ${status} to the question whether it exists`,
    );
  });

  test("reports a page of a proxy after all tries", async () => {
    skipWaits();
    const requests = await fakeGoogle({
      [`GET /${NAME}`]: { status: 502, text: "<html>Bad Gateway</html>" },
    });
    await expect(ask(() => lookUp(artifactRegistry, NAME))).rejects.toThrow("Google answered 502");
    expect(requests).toHaveLength(4);
  });

  test("treats a 403 as not found for a caller that handles it", async () => {
    await fakeGoogle({ [`GET /${NAME}`]: { status: 403 } });
    const onForbidden = vi.fn();
    expect(await ask(() => lookUp(artifactRegistry, NAME, onForbidden))).toBeUndefined();
    expect(onForbidden).toHaveBeenCalledExactlyOnceWith("403");
  });

  test("retries temporary errors", async () => {
    skipWaits();
    const answers = [503, 429, 200];
    const requests = await fakeGoogle({ [`GET /${NAME}`]: () => ({ status: answers.shift() ?? 500 }) });
    expect(await ask(() => lookUp(artifactRegistry, NAME))).toBeDefined();
    expect(requests).toHaveLength(3);
  });
});

import { describe, expect, test, vi } from "vitest";
import { fakeGoogle } from "../test/support/fake-google.ts";
import { declare } from "../test/support/mocks.ts";
import { artifactRegistry } from "./apis.ts";
import { lookUp } from "./existence.ts";

const NAME = "projects/production-471918/locations/us-central1/repositories/hyperion-public";

const ask = async <T>(question: () => Promise<T>): Promise<T> => (await declare(question)).result;

const disabled = JSON.stringify({ error: { code: 403, details: [{ reason: "SERVICE_DISABLED" }] } });

describe("whether a resource exists", () => {
  test.each<[string, number, string, string | undefined]>([
    ["there, with its state", 200, JSON.stringify({ state: "DELETED" }), "DELETED"],
    ["there, of a kind that has no state", 200, JSON.stringify({ name: NAME }), "ACTIVE"],
    ["nothing", 404, "{}", undefined],
    ["an API that is not enabled yet", 403, disabled, undefined],
    [
      "the same in a huge answer",
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
    ["it may not be read", 403, "{}"],
    ["a proxy answers with a page", 404 + 47, "<html>Unavailable For Legal Reasons</html>"],
    ["the answer is empty", 401, ""],
  ])("stops where %s", async (_, status, text) => {
    await fakeGoogle({ [`GET /${NAME}`]: { status, text } });
    await expect(ask(() => lookUp(artifactRegistry, NAME))).rejects.toThrow(
      `Google answered ${status} to the question whether it exists`,
    );
  });

  test("a proxy's page after all tries is told as what it is", { timeout: 20_000 }, async () => {
    const requests = await fakeGoogle({
      [`GET /${NAME}`]: { status: 502, text: "<html>Bad Gateway</html>" },
    });
    await expect(ask(() => lookUp(artifactRegistry, NAME))).rejects.toThrow("Google answered 502");
    expect(requests).toHaveLength(4);
  });

  test("what is forbidden is nothing to a caller who wants to know of it", async () => {
    await fakeGoogle({ [`GET /${NAME}`]: { status: 403 } });
    const onForbidden = vi.fn();
    expect(await ask(() => lookUp(artifactRegistry, NAME, { onForbidden }))).toBeUndefined();
    expect(onForbidden).toHaveBeenCalledExactlyOnceWith("403");
  });

  test("asks again after an error that passes", async () => {
    const answers = [503, 429, 200];
    const requests = await fakeGoogle({ [`GET /${NAME}`]: () => ({ status: answers.shift() ?? 500 }) });
    expect(await ask(() => lookUp(artifactRegistry, NAME))).toBeDefined();
    expect(requests).toHaveLength(3);
  });
});

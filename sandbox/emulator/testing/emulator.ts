import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished } from "vitest";
import { getCurrentTest } from "vitest/suite";
import { createApp } from "../app.ts";
import { mintAccessToken, MAINTAINER } from "../../lib/tokens.ts";
import { openContext, type Context } from "../support/context.ts";
import { writeTestKeys } from "./keys.ts";
import { quotaProjectOf } from "./quota-project.ts";

export const PROJECT = "projects/production-471918";
export const NUMBER = "projects/123456789012";
export const REPOSITORIES = `v1/${PROJECT}/locations/us-central1/repositories`;
export const REPOSITORY = `${REPOSITORIES}/hyperion-public`;

/** An answer, its body as a plain object. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** The emulated APIs in this process, in a temporary folder. */
export interface TestEmulator {
  dir: string;
  readonly context: Context;
  /** Sends a request. `as` is the principal (default: the maintainer), or null for no token. */
  call(method: string, path: string, body?: unknown, as?: string | null): Promise<Answer>;
  /** Sends a request and fails the test unless the status is 200. */
  ok(method: string, path: string, body?: unknown, as?: string | null): Promise<Record<string, unknown>>;
  send(path: string, init?: RequestInit): Promise<Response>;
  /** Restarts from the files on disk, as after a crash. */
  restart(): void;
}

/** Creates an emulator with these APIs enabled. Its folder is removed after the test, or else after the test file. */
export async function testEmulator(...apis: string[]): Promise<TestEmulator> {
  const dir = mkdtempSync(join(tmpdir(), "hyperion-emulator-"));
  const remove = (): void => {
    rmSync(dir, { recursive: true });
  };
  if (getCurrentTest() === undefined) afterAll(remove);
  else onTestFinished(remove);
  await writeTestKeys(dir);
  let context = openContext(dir, 5001);
  let app = createApp(context);
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    as: string | null = MAINTAINER,
  ): Promise<Answer> => {
    const response = await app(
      new Request(`http://127.0.0.1/${path}`, {
        method,
        headers: {
          ...(as !== null && { authorization: `Bearer ${await mintAccessToken(dir, as)}` }),
          ...quotaProjectOf(path),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const emulator: TestEmulator = {
    dir,
    get context() {
      return context;
    },
    call,
    ok: async (...request) => {
      const answer = await call(...request);
      expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200 });
      return answer.body;
    },
    send: (path, init) => app(new Request(`http://127.0.0.1/${path}`, init)),
    restart: () => {
      context = openContext(dir, 5001);
      app = createApp(context);
    },
  };
  await enable(emulator, ...apis);
  return emulator;
}

/** An error answer for `toMatchObject`; `error` holds further fields. */
export function refusal(status: number, message: string | RegExp, error: object = {}): object {
  const said = typeof message === "string" ? message : (expect.stringMatching(message) as string);
  return { status, body: { error: { ...error, message: said } } };
}

/** Enables APIs of the production project. */
export async function enable(emulator: TestEmulator, ...apis: string[]): Promise<void> {
  for (const api of apis)
    await emulator.ok("POST", `v1/${PROJECT}/services/${api}.googleapis.com:enable`, {});
}

export async function createRepository(
  emulator: TestEmulator,
  body: object = {},
): Promise<Record<string, unknown>> {
  return emulator.ok("POST", `${REPOSITORIES}?repository_id=hyperion-public`, { format: "DOCKER", ...body });
}

/** Polls an operation that must be done. */
export async function finished(
  emulator: TestEmulator,
  started: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  expect(started).not.toHaveProperty("done");
  const operation = await emulator.ok("GET", `v1/${String(started["name"])}`);
  expect(operation).toMatchObject({ ...started, done: true });
  return operation;
}

/** Replaces the bindings of the repository. */
export async function bind(emulator: TestEmulator, role: string, ...members: string[]): Promise<Answer> {
  return emulator.call("POST", `${REPOSITORY}:setIamPolicy`, { policy: { bindings: [{ role, members }] } });
}

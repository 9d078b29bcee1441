import http, { Agent, createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listen } from "../../test/support/listen.ts";
import { NoAnswer, send } from "./http.ts";

const server = createServer((_, response) => {
  void wait(300).then(() => response.end("late"));
});
const { globalAgent } = http;
let url: URL;

beforeEach(async () => {
  url = new URL(`http://127.0.0.1:${await listen(server)}/`);
  // Default: five seconds.
  http.globalAgent = new Agent({ timeout: 50 });
});

afterEach(() => {
  http.globalAgent = globalAgent;
  server.closeAllConnections();
  server.close();
});

test("has no timeout by default", async () => {
  expect(await send({ method: "GET", url, headers: {} })).toMatchObject({ status: 200, body: "late" });
});

test("times out after the given number of seconds", async () => {
  const error = new NoAnswer(`${url.host} did not answer within 0.1 s`);
  await expect(send({ method: "GET", url, headers: {}, seconds: 0.1 })).rejects.toThrow(error);
});

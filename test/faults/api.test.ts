import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { type Sandbox, startSandbox } from "../sandbox/sandbox";
import { expectDeclared, mend, pluginsOf } from "./declared";
import { survives } from "./survives";

let sandbox: Sandbox;
let plugins: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  plugins = await pluginsOf(sandbox);
});

afterEach(() => sandbox.run("fault", "clear"));
afterAll(() => sandbox.stop());

describe("Google's APIs", () => {
  for (const status of [429, 500, 503])
    survives(`each route answers ${status} once`, async () => {
      await sandbox.pulumi("config", "set", "--path", "readers[0]", `user:reader${status}@example.com`);
      const set = await sandbox.run("fault", "set", "status", `status=${status}`, "route=*IamPolicy");
      expect(set.code, set.output).toBe(0);
      const next = await mend(sandbox, "up");
      await expectDeclared(sandbox);
      return { happened: "tried again with back-off", seen: "nothing", next, plugins };
    });
});

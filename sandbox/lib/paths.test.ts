import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repositoryRoot, sandboxDir, sandboxPaths, shortName } from "./paths.ts";
import { engineRunFolder, ownEngineHost } from "../machine/engine/own-engine.ts";

describe("where a sandbox is", () => {
  test("in the checkout, or in HYPERION_SANDBOX_DIR", () => {
    expect(sandboxDir({})).toBe(join(repositoryRoot, ".sandbox"));
    expect(sandboxDir({ HYPERION_SANDBOX_DIR: "" })).toBe(join(repositoryRoot, ".sandbox"));
    expect(sandboxDir({ HYPERION_SANDBOX_DIR: "/tmp/x/../y" })).toBe("/tmp/y");
    expect(sandboxDir({ HYPERION_SANDBOX_DIR: "other" })).toBe(join(process.cwd(), "other"));
  });

  test("all paths are in its folder", () => {
    const { root, ...others } = sandboxPaths("/somewhere/sandbox");
    for (const path of Object.values(others)) expect(path.startsWith(`${root}/`)).toBe(true);
  });
});

describe("the sockets of the engine", () => {
  test("are in the sandbox if the path is short enough", () => {
    expect(ownEngineHost(sandboxPaths("/home/dana/.sandbox"))).toBe(
      "unix:///home/dana/.sandbox/docker/run/docker.sock",
    );
  });

  test.each([
    ["too long", `/${"a".repeat(80)}`],
    ["too long in bytes", `/${"ü".repeat(40)}`],
    ["with a comma", "/a,b"],
  ])("are in a short folder if the path is %s", (_, root) => {
    const folder = engineRunFolder(sandboxPaths(root));
    expect(folder).toContain(shortName(root));
    expect(folder.length).toBeLessThan(60);
  });
});

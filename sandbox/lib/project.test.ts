import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { useScratch } from "../../test/support/scratch.ts";
import { sandboxPaths } from "./paths.ts";
import { ensureProject, projectCopy } from "./project.ts";

const PROJECT = "name: hyperion-registry\n# why\nmain: index.ts\n";

describe("the project file's copy", () => {
  test("runs the program of its checkout, and keeps comments", () => {
    expect(projectCopy(PROJECT, "/home/dana/.sandbox/project", "/home/dana")).toBe(
      "name: hyperion-registry\n# why\nmain: ../../index.ts\n",
    );
  });

  test("has an absolute path if the sandbox is outside the checkout", () => {
    expect(projectCopy(PROJECT, "/tmp/sandbox/project", "/home/dana/checkout")).toContain(
      "main: /home/dana/checkout/index.ts",
    );
  });
});

describe("the project's copy", () => {
  const scratch = useScratch();

  test("keeps its settings, and follows the tracked files", async () => {
    scratch.write("Pulumi.yaml", PROJECT);
    const copy = ".sandbox/project/Pulumi.sandbox.yaml";
    const afterTracking = async (config: string): Promise<string> => {
      scratch.write("Pulumi.sandbox.yaml", config);
      await ensureProject(sandboxPaths(scratch.path(".sandbox")), scratch.folder);
      return scratch.read(copy);
    };
    expect(await afterTracking("config:\n  a: 1\n")).toBe("config:\n  a: 1\n");
    scratch.write(copy, "config:\n  a: 1\n  b: mine\n");
    const second = await afterTracking("config:\n  a: 2\n  b: tracked\n");
    expect(parse(second)).toEqual({ config: { a: 2, b: "mine" } });
    // The base is now the last copy.
    expect(parse(await afterTracking("config:\n  a: 3\n"))).toEqual({ config: { a: 3, b: "mine" } });
  });
});

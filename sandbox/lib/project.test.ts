import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
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
  let source: string;

  beforeEach(async () => {
    source = await mkdtemp(join(tmpdir(), "hyperion-project-"));
    await writeFile(join(source, "Pulumi.yaml"), PROJECT);
    await writeFile(join(source, "Pulumi.sandbox.yaml"), "config:\n  a: 1\n");
  });

  afterEach(() => rm(source, { recursive: true }));

  test("keeps its settings, and follows the tracked files", async () => {
    const paths = sandboxPaths(join(source, ".sandbox"));
    const copy = join(paths.project, "Pulumi.sandbox.yaml");
    await ensureProject(paths, source);
    expect(await readFile(copy, "utf8")).toBe("config:\n  a: 1\n");

    await writeFile(copy, "config:\n  a: 1\n  b: mine\n");
    await writeFile(join(source, "Pulumi.sandbox.yaml"), "config:\n  a: 2\n  b: tracked\n");
    await ensureProject(paths, source);
    expect(parse(await readFile(copy, "utf8"))).toEqual({ config: { a: 2, b: "mine" } });

    // The base is now the last copy.
    await writeFile(join(source, "Pulumi.sandbox.yaml"), "config:\n  a: 3\n");
    await ensureProject(paths, source);
    expect(parse(await readFile(copy, "utf8"))).toEqual({ config: { a: 3, b: "mine" } });
  });
});

import { beforeEach, expect, it } from "vitest";
import { useShell } from "../../test/support/shell.ts";
import { toolProblems } from "./preflight.ts";

const shell = useShell();

beforeEach(() => {
  shell.write(".pulumi.version", "3.0.0\n");
  shell.environment["PULUMI_HOME"] = shell.path("home");
});

const missing = (): string[] => toolProblems(shell.folder, shell.environment).map(({ where }) => where);

it("names every missing tool that the installer of Pulumi needs, and where to get it", () => {
  shell.without("curl");
  shell.without("tar");
  expect(missing()).toEqual(["curl", "tar", "cosign"]);
  expect(toolProblems(shell.folder, shell.environment)[2]?.fix).toMatch(/^install cosign: https:/);
  shell.fake("cosign", "exit 0");
  expect(missing()).toEqual(["curl", "tar"]);
});

it("needs no tool if Pulumi is installed or HYPERION_PULUMI names a CLI", () => {
  shell.without("curl");
  shell.write("home/versions/3.0.0/bin/pulumi", "#!/bin/sh\n", 0o755);
  expect(missing()).toEqual([]);
  shell.environment["PULUMI_HOME"] = shell.path("none");
  shell.environment["HYPERION_PULUMI"] = shell.path("home/versions/3.0.0/bin/pulumi");
  expect(missing()).toEqual([]);
});

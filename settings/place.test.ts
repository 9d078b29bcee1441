import * as path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { stackPlace } from "./place.ts";
import { useShell } from "../test/support/shell.ts";

const FILES = { project: "of-the-file", location: "us-central1", repositoryId: "hyperion-public" };
const PULUMI = { project: "of-pulumi", location: "us-east1", repositoryId: "other" };

const printed = JSON.stringify({
  "gcp:project": { value: PULUMI.project, secret: false },
  "gcp:region": { value: PULUMI.location, secret: false },
  "hyperion-registry:repositoryId": { value: PULUMI.repositoryId, secret: false },
  "hyperion-registry:token": { secret: true },
});

const shell = useShell();

beforeEach(() => {
  shell.write(
    "Pulumi.yaml",
    "name: hyperion-registry\nconfig:\n  repositoryId: { type: string, default: hyperion-public }\n",
  );
  shell.write(".pulumi.version", "3.0.0\n");
  shell.environment["HYPERION_PULUMI"] = shell.path("bin/pulumi");
  for (const stack of ["production", "dev"])
    shell.write(
      `Pulumi.${stack}.yaml`,
      `config:\n  gcp:project: ${stack === "production" ? FILES.project : "of-dev"}\n  gcp:region: us-central1\n`,
    );
});

const place = (stack?: string) => stackPlace(shell.folder, stack, shell.environment);

test("comes from Pulumi for the selected stack", async () => {
  shell.fake("pulumi", `record "$@"\necho '${printed}'`);
  expect(await place()).toEqual(PULUMI);
  expect(shell.calls()).toEqual(["pulumi config --json --non-interactive"]);
});

test("comes from Pulumi for a named stack", async () => {
  shell.fake("pulumi", `record "$@"\necho '${printed}'`);
  expect(await place("dev")).toEqual(PULUMI);
  expect(shell.calls()).toEqual(["pulumi config --json --non-interactive --stack dev"]);
});

test.each([
  ["fails", "echo 'error: no stack selected' >&2; exit 255"],
  ["returns no settings", "echo '{}'"],
])("comes from the stack's file if Pulumi %s", async (_, body) => {
  shell.fake("pulumi", body);
  expect(await place()).toEqual(FILES);
  expect(await place("dev")).toEqual({ ...FILES, project: "of-dev" });
});

test("comes from the verified CLI, not from one on the PATH", async () => {
  shell.fake("pulumi", `echo '${printed}'`);
  delete shell.environment["HYPERION_PULUMI"];
  shell.environment["PULUMI_HOME"] = shell.path("home");
  expect(await place()).toEqual(FILES);
  shell.write("home/versions/3.0.0/bin/pulumi", `#!/bin/sh\necho '${printed}'\n`, 0o755);
  expect(await place()).toEqual(PULUMI);
});

test("an unknown stack is reported with the known ones", async () => {
  await expect(place("staging")).rejects.toThrow(
    new Error(
      `${path.join(shell.folder, "Pulumi.staging.yaml")} does not exist; the stacks are dev, production`,
    ),
  );
});

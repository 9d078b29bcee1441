import { expect, test } from "vitest";
import { useScratch } from "../../../test/support/scratch.ts";
import { buildKitInside, findDockerCommand } from "./command.ts";

const scratch = useScratch();

test.each([
  ["18.06.3", false],
  ["18.09.1", true],
  ["19.03.8", true],
  ["20.10.24+dfsg1", true],
  ["23.0.0", false],
  ["28.2.2", false],
  ["", false],
])("docker %s has BuildKit's client inside: %s", (version, expected) => {
  expect(buildKitInside(version)).toBe(expected);
});

/** Writes a docker command of a version, with or without the plugin buildx. */
function docker(name: string, version: string, buildx: boolean): string {
  const answer = version === "" ? "exit 1" : `echo "Docker version ${version}, build 1"`;
  const script = `#!/bin/sh\ncase $1 in --version) ${answer} ;; *) exit ${buildx ? 0 : 1} ;; esac\n`;
  return scratch.write(`${name}/docker`, script, 0o755);
}

test("finds the first command that can build with BuildKit, else the first that runs, else none", async () => {
  const broken = docker("broken", "", true);
  const plain = docker("plain", "28.2.2", false);
  const old = docker("old", "20.10.24", false);
  const current = docker("current", "29.0.0", true);
  const found = async (...candidates: string[]) => findDockerCommand(candidates);
  expect(await found(broken, plain, old, current)).toEqual({
    path: old,
    version: "20.10.24",
    buildKit: true,
  });
  expect((await found(plain, current))?.path).toBe(current);
  expect(await found(broken, plain)).toEqual({ path: plain, version: "28.2.2", buildKit: false });
  expect(await found(broken, scratch.path("nowhere"))).toBeUndefined();
});

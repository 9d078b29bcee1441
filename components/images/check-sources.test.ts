import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { useScratch } from "../../test/support/scratch.ts";
import { sourceProblems } from "./check-sources.ts";

const scratch = useScratch();

describe("sources", () => {
  const image = { name: "hyperion-ui", context: "coordinator/ui", dockerfile: "Dockerfile" };

  test("a source folder that is not there", () => {
    expect(sourceProblems(scratch.path("none"), [image])).toMatchObject([
      { where: "hyperion-registry:sourceDir", found: `"${scratch.folder}/none", where there is no folder` },
    ]);
  });

  test("a context that is not there, then a Dockerfile, then nothing to say", () => {
    const found = () =>
      sourceProblems(scratch.folder, [image]).map(({ where, found: what }) => [where, what]);
    const what = "nothing, where the sources of hyperion-ui should be";
    expect(found()).toEqual([[scratch.path("coordinator/ui"), what]]);
    mkdirSync(scratch.path("coordinator/ui"), { recursive: true });
    expect(found()).toEqual([[scratch.path("coordinator/ui/Dockerfile"), what]]);
    scratch.write("coordinator/ui/Dockerfile");
    expect(found()).toEqual([]);
  });
});

describe("sources that cannot be read", () => {
  const image = { name: "hyperion-ui", context: "ui", dockerfile: "Dockerfile" };
  const problems = () => sourceProblems(scratch.folder, [image]);

  beforeEach(() => {
    scratch.write("ui/Dockerfile");
  });

  test("a folder in the place of the Dockerfile and of the ignore file, told at once", () => {
    rmSync(scratch.path("ui/Dockerfile"));
    for (const name of ["Dockerfile", ".dockerignore"]) mkdirSync(scratch.path(`ui/${name}`));
    expect(problems()).toEqual([
      {
        where: `${scratch.folder}/ui/Dockerfile`,
        found: "no file, among the sources of hyperion-ui",
        allowed: "a Dockerfile that can be read",
        fix: `ls -ld ${scratch.folder}/ui/Dockerfile`,
      },
      {
        where: `${scratch.folder}/ui/.dockerignore`,
        found: "no file, among the sources of hyperion-ui",
        allowed: "an ignore file that can be read, or none",
        fix: `ls -ld ${scratch.folder}/ui/.dockerignore`,
      },
    ]);
  });

  test("the ignore file of the Dockerfile counts before that of the context", () => {
    mkdirSync(scratch.path("ui/.dockerignore"));
    scratch.write("ui/Dockerfile.dockerignore");
    expect(problems()).toEqual([]);
  });

  // Root may read everything.
  test.skipIf(process.getuid?.() === 0)("files that may not be read", () => {
    for (const name of ["Dockerfile", ".dockerignore"]) chmodSync(scratch.write(`ui/${name}`), 0);
    const found = "a file that may not be read, among the sources of hyperion-ui";
    expect(problems()).toMatchObject([{ found }, { found }]);
  });

  test("a source folder whose name no file system takes", () => {
    const sourceDir = "a".repeat(300);
    expect(sourceProblems(sourceDir, [image])).toMatchObject([
      { where: "hyperion-registry:sourceDir", found: `"${"a".repeat(76)}..., where there is no folder` },
    ]);
  });
});

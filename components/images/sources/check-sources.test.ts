import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { useScratch } from "../../../test/support/scratch.ts";
import { sourceProblems } from "./check-sources.ts";

const scratch = useScratch();

describe("sources", () => {
  const image = { name: "hyperion-ui", context: "coordinator/ui", dockerfile: "Dockerfile" };

  test("a missing source folder", () => {
    expect(sourceProblems(scratch.path("none"), [image])).toMatchObject([
      { where: "hyperion-registry:sourceDir", found: `"${scratch.folder}/none", which is not a folder` },
    ]);
  });

  test("a missing context, then a missing Dockerfile, then nothing", () => {
    const found = () =>
      sourceProblems(scratch.folder, [image]).map(({ where, found: what }) => [where, what]);
    const what = "no sources of hyperion-ui";
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

  test("folders instead of the Dockerfile and the ignore file, in one report", () => {
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

  test("a Dockerfile's ignore file replaces the context's ignore file", () => {
    mkdirSync(scratch.path("ui/.dockerignore"));
    scratch.write("ui/Dockerfile.dockerignore");
    expect(problems()).toEqual([]);
  });

  // Root has permission to read every file.
  test.skipIf(process.getuid?.() === 0)("files without read permission", () => {
    for (const name of ["Dockerfile", ".dockerignore"]) chmodSync(scratch.write(`ui/${name}`), 0);
    const found = "a file that cannot be read, among the sources of hyperion-ui";
    expect(problems()).toMatchObject([{ found }, { found }]);
  });

  test("a source folder with too long a name", () => {
    const sourceDir = "a".repeat(300);
    expect(sourceProblems(sourceDir, [image])).toMatchObject([
      { where: "hyperion-registry:sourceDir", found: `"${"a".repeat(76)}..., which is not a folder` },
    ]);
  });
});

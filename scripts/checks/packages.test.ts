import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Lockfile, type Manifest, packageProblems, packagesOf } from "./packages.ts";
import { type Ended, useShell } from "../../test/support/shell.ts";

const zod = { version: "4.6.7", integrity: "sha512-AAAA", license: "MIT" };
const good: Manifest = { dependencies: { zod: "4.6.7" }, devDependencies: {} };
const locked = (entry: object): Lockfile => ({
  packages: { "": {}, "node_modules/zod": { ...zod, ...entry } },
});

describe("the dependencies", () => {
  it("are listed by name, including nested ones, without the project and its workspaces", () => {
    const { packages } = locked({});
    const nested = {
      ...packages,
      inner: { version: "0.1.0" },
      "node_modules/inner": { resolved: "inner", link: true },
      "node_modules/zod/node_modules/@a/b": { version: "1.0.0", license: "ISC", dev: true },
    };
    expect(packagesOf({ packages: nested })).toEqual([
      { name: "@a/b", version: "1.0.0", license: "ISC", dev: true },
      { name: "zod", version: "4.6.7", license: "MIT", dev: false },
    ]);
  });

  it.each(["^4.6.7", "4", "latest", "github:colinhacks/zod", "4.6.x"])(
    "cannot have the version %s",
    (version) => {
      expect(packageProblems({ ...good, devDependencies: { zod: version } }, locked({}))).toEqual([
        `package.json: zod is "${version}"; allowed is one exact version. Fix it: npm install --save-exact zod@VERSION`,
      ]);
    },
  );

  it.each([undefined, "sha1-AAAA"])("cannot have the integrity %s", (integrity) => {
    expect(packageProblems(good, locked({ integrity }))).toEqual([
      "package-lock.json: zod has no sha512 integrity, so that npm cannot verify the download. Fix it: install zod from a registry",
    ]);
  });

  it("cannot name a registry", () => {
    expect(packageProblems(good, locked({ resolved: "https://registry.example/zod.tgz" }))).toEqual([
      "package-lock.json: zod names the address https://registry.example/zod.tgz; allowed is none: each machine has its own registry. Fix it: npm install --package-lock-only --omit-lockfile-registry-resolved",
    ]);
  });

  it.each(["GPL-3.0-only", "", "(MIT OR GPL-2.0-only)", "SEE LICENSE IN LICENSE"])(
    "cannot have the licence %j",
    (license) => {
      expect(packageProblems(good, locked({ license }))).toEqual([
        expect.stringContaining(`zod 4.6.7 has the licence "${license}"; allowed are 0BSD, Apache-2.0,`),
      ]);
    },
  );

  it("can combine allowed licences", () => {
    expect(packageProblems(good, locked({ license: "(BSD-3-Clause AND Apache-2.0)" }))).toEqual([]);
  });
});

const shell = useShell();

it("installs without engine warnings on an older Node.js, because the packages run on the Node.js that npm ci brings", () => {
  const project = { name: "p", version: "1.0.0", lockfileVersion: 3, engines: { node: ">=99" } };
  shell.write("package.json", JSON.stringify(project));
  shell.write("package-lock.json", JSON.stringify({ ...project, packages: { "": project } }));
  shell.pass("npm");
  const install = (): Ended => shell.bash("npm ci --dry-run --offline");
  expect(install().stderr).toContain("EBADENGINE");
  shell.write(".npmrc", readFileSync(".npmrc", "utf8"));
  expect(install()).toMatchObject({ status: 0, stderr: "" });
});

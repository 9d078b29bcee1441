import { expect, it, test } from "vitest";
import { useScratch } from "../../test/support/scratch.ts";
import { importViolations } from "./imports.ts";
import { nameViolations, topLevelViolations } from "./names.ts";
import { namespaceViolations } from "./namespace.ts";
import { stackViolations } from "./stacks.ts";

const scratch = useScratch();

test.each<[string, Record<string, string>, string[]]>([
  [
    "files that import each other",
    { "google/a.ts": `import "./b.ts";`, "google/b.ts": `import type { A } from "./a.ts";` },
    ["circle: google/a.ts -> google/b.ts"],
  ],
  [
    "folders that import each other, through different files",
    {
      "google/a.ts": `import "../settings/b.ts";`,
      "settings/b.ts": "",
      "settings/c.ts": `import "../google/d.ts";`,
      "google/d.ts": "",
    },
    ["folder circle: google -> settings", "folder circle: settings -> google"],
  ],
  [
    "a subject that imports another subject",
    { "components/ci/a.ts": `import "../access/b.ts";`, "components/access/b.ts": "" },
    ["subject: components/ci/a.ts -> components/access/b.ts"],
  ],
  [
    "an import of the sandbox",
    { "scripts/a.ts": `await import("../sandbox/lib/b.ts");`, "sandbox/lib/b.ts": "" },
    ["sandbox: scripts/a.ts -> sandbox/lib/b.ts"],
  ],
  [
    "an import of test code",
    { "scripts/a.ts": `import "../test/support/b.ts";`, "test/support/b.ts": "" },
    ["test: scripts/a.ts -> test/support/b.ts"],
  ],
  [
    "nothing if a test imports its subject, and test/support the sandbox",
    {
      "components/ci/a.ts": `import "../../google/d.ts";`,
      "google/d.ts": "",
      "components/ci/a.test.ts": `import "./a.ts"; import "../../test/support/b.ts";`,
      "test/support/b.ts": `import "../../sandbox/lib/c.ts";`,
      "sandbox/lib/c.ts": `import "../../components/ci/a.ts";`,
    },
    [],
  ],
])("finds %s", async (_, files, violations) => {
  for (const [file, text] of Object.entries(files)) scratch.write(`project/${file}`, `${text}\nexport {};\n`);
  expect(await importViolations(`${scratch.folder}/project`)).toEqual(violations);
});

it("finds code that is not in kebab-case, and ignores other files", () => {
  expect(
    nameViolations(["scripts/aB.ts", "Scripts/a.sh", "a_b.cjs", "a-b.test.ts", "docs/CI.md", "Pulumi.yaml"]),
  ).toEqual(["scripts/aB.ts", "Scripts/a.sh", "a_b.cjs"].map((file) => `name: ${file} is not in kebab-case`));
});

it("finds the namespace of the settings in code, and ignores tests and other files", () => {
  const wrong = ["index.ts", "components/ci/a.ts", "sandbox/a.ts"];
  const right = [
    "problems/setting-commands.ts",
    "components/ci/a.test.ts",
    "test/support/a.ts",
    "docs/CI.md",
  ];
  for (const file of [...wrong, ...right]) scratch.write(file, "export const key = `hyperion-registry:a`;\n");
  scratch.write("google/a.ts", "export {};\n");
  expect(namespaceViolations(scratch.folder, [...wrong, ...right, "google/a.ts"])).toEqual(
    wrong.map(
      (file) =>
        `namespace: ${file} contains "hyperion-registry": use the functions of problems/setting-commands.ts`,
    ),
  );
});

it("finds a long top level, and ignores hidden files", () => {
  const files = Array.from({ length: 30 }, (_, index) => `${index}/a.ts`);
  expect(topLevelViolations([...files, "0/b.ts", ".nvmrc"])).toEqual([]);
  expect(topLevelViolations([...files, "one-more"])).toEqual([
    "top level: 31 entries; allowed are 30: move one into the folder of its subject",
  ]);
});

it("finds settings for one run, and contradictions between the stacks of one registry", () => {
  scratch.write(
    "Pulumi.yaml",
    "name: hyperion-registry\nconfig:\n  hyperion-registry:repositoryId: { type: string, default: r }\n",
  );
  const stack = (name: string, settings: Record<string, string>): string => {
    const lines = Object.entries(settings).map(([key, value]) => `  ${key}: "${value}"\n`);
    scratch.write(`Pulumi.${name}.yaml`, `config:\n${lines.join("")}`);
    return `Pulumi.${name}.yaml`;
  };
  const own = "hyperion-registry:";
  const place = {
    "gcp:project": "p",
    "gcp:region": "us-central1",
    "gcp:skipRegionValidation": "true",
  };
  const files = [
    stack("good", { ...place, [`${own}publishImages`]: "false", [`${own}version`]: "1.4.2" }),
    stack("good-images", { ...place, [`${own}manageRegistry`]: "false", [`${own}repositoryId`]: "r" }),
    stack("bad", {
      ...{ ...place, "gcp:skipRegionValidation": "false" },
      ...{ [`${own}publishImages`]: "true", [`${own}repositoryId`]: "other" },
    }),
    stack("bad-images", {
      "gcp:project": "q",
      "gcp:region": "europe-west1",
      [`${own}manageRegistry`]: "true",
      ...{ [`${own}revision`]: "abc", [`${own}releaseDate`]: "x" },
    }),
  ];
  const pulumi = "npm run pulumi -- config";
  expect(stackViolations(scratch.folder, files)).toEqual([
    `stacks: bad: ${pulumi} set gcp:skipRegionValidation true --stack bad`,
    "stacks: bad and bad-images differ in gcp:project",
    "stacks: bad and bad-images differ in gcp:region",
    "stacks: bad and bad-images differ in repositoryId",
    "stacks: bad publishes images, and so does bad-images",
    "stacks: bad-images manages the registry, and so does bad",
    `stacks: bad-images: ${pulumi} rm revision --stack bad-images   # a setting for one run`,
    `stacks: bad-images: ${pulumi} rm releaseDate --stack bad-images   # a setting for one run`,
    `stacks: bad-images: ${pulumi} set gcp:skipRegionValidation true --stack bad-images`,
  ]);
});

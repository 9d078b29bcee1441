import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { published, removeTags } from "../support/google.ts";
import { passed } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

// What a version that is published stands through, whatever becomes of the stack's state and of the run that published it.

const NAMES = images.map(({ name }) => name);
const UI = "hyperion-ui";

const sandbox = useSandbox();

/** The tags of each image with their digests, but for that of the build in hand. */
const all = () => published(sandbox, (tag) => tag !== "build");

async function loseState(): Promise<void> {
  const file = join(sandbox.scratch, "state.json");
  await sandbox.pulumi("stack", "export", "--file", file);
  const state = JSON.parse(await readFile(file, "utf8")) as { deployment: { resources: unknown[] } };
  state.deployment.resources = [];
  await writeFile(file, JSON.stringify(state));
  await sandbox.pulumi("stack", "import", "--file", file);
}

/** The lines of a preview or an up that are about tags. */
const aboutTags = (output: string): string[] =>
  output.match(/docker:index:(Tag|RegistryImage|RemoteImage) .*/g) ?? [];

test("a lost state moves no tag, with other sources neither, and a preview has no line for tags", async () => {
  await sandbox.set({ version: "1.0.0" });
  passed(await sandbox.tryUp());
  const before = await all();
  await loseState();
  await sandbox.set({ adoptExisting: "true" });
  await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n// other sources\n");
  expect(aboutTags(passed(await sandbox.tryPulumi("preview")))).toEqual([]);
  const done = passed(await sandbox.tryUp());
  expect(aboutTags(done)).toEqual([]);
  expect(done).toMatch(/The sources of .*hyperion-ui differ from 1\.0\.0, which stays as it is\./);
  expect(await all()).toEqual(before);
  await sandbox.expectNoChanges();
});

test("a run that was killed is completed from its own builds", async () => {
  const before = await all();
  // Two images have the version, no floating tag is set; nothing of it is in the state.
  await removeTags(sandbox, UI, "1.0.0", "1.0", "1", "latest", "v1.0.0");
  for (const name of NAMES.filter((one) => one !== UI))
    await removeTags(sandbox, name, "1.0", "1", "latest", "v1.0.0");
  await sandbox.docker("system", "prune", "--all", "--force");
  await sandbox.run("up", "--no-stack"); // the base image of the samples is gone, too
  expect(passed(await sandbox.tryUp())).toContain(
    "1.0.0 is published in part; what it lacks is set on the builds of that run.",
  );
  expect(await all()).toEqual(before);
  await sandbox.expectNoChanges();
});

test("an image that was added to the catalogue later is named and left out", async () => {
  await loseState();
  // As the catalogue was without it when the version was published.
  await removeTags(sandbox, UI, "1.0.0", "1.0", "1", "latest", "v1.0.0", "build-1.0.0");
  const before = await all();
  expect(passed(await sandbox.tryUp())).toContain(
    "hyperion-ui was added to the catalogue after 1.0.0 and is left out of it; the next version has it.",
  );
  expect(await all()).toEqual(before);
  await sandbox.set({ version: "1.0.1" });
  passed(await sandbox.tryUp());
  const after = await all();
  for (const name of NAMES)
    expect(Object.keys(after[name] ?? {})).toEqual(expect.arrayContaining(["1.0.1", "latest"]));
});

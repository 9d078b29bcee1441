import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { useSandbox } from "../support/shared-sandbox.ts";

// What a version that is published stands through, whatever becomes of the stack's state and of the run that published it.

const REPOSITORY = "v1/projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public";
const NAMES = images.map(({ name }) => name);
const UI = "hyperion-ui";

const sandbox = useSandbox();

const set = (name: string, value: string) => sandbox.pulumi("config", "set", name, value);
const up = () => sandbox.tryPulumi("up", "--yes", "--skip-preview");

/** The tags of each image with their digests, but for that of the build in hand. */
async function published(): Promise<Record<string, Record<string, string>>> {
  const last = (name: string): string => name.replace(/^.*\//, "");
  const entries = NAMES.map(async (name) => {
    const { body } = await sandbox.google("GET", `${REPOSITORY}/packages/${name}/tags`);
    const { tags } = body as { tags: { name: string; version: string }[] };
    const all = tags.map((tag) => [last(tag.name), last(tag.version)] as const);
    return [name, Object.fromEntries(all.filter(([tag]) => tag !== "build"))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function remove(image: string, ...tags: string[]): Promise<void> {
  for (const tag of tags) {
    const { status } = await sandbox.google("DELETE", `${REPOSITORY}/packages/${image}/tags/${tag}`);
    expect(status, `${image}:${tag}`).toBe(200);
  }
}

async function loseState(): Promise<void> {
  const file = join(sandbox.root, "..", "state.json");
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
  await set("version", "1.0.0");
  expect(await up()).toMatchObject({ code: 0 });
  const before = await published();
  await loseState();
  await set("adoptExisting", "true");
  await appendFile(join(sandbox.sources, "coordinator/ui/server.js"), "\n// other sources\n");
  const preview = await sandbox.tryPulumi("preview");
  expect([preview.code, aboutTags(preview.output)]).toEqual([0, []]);
  const done = await up();
  expect([done.code, aboutTags(done.output)]).toEqual([0, []]);
  expect(done.output).toMatch(/The sources of .*hyperion-ui differ from 1\.0\.0, which stays as it is\./);
  expect(await published()).toEqual(before);
  await sandbox.pulumi("preview", "--expect-no-changes");
});

test("a run that was killed is completed from its own builds", async () => {
  const before = await published();
  // Two images have the version, no floating tag is set; nothing of it is in the state.
  await remove(UI, "1.0.0", "1.0", "1", "latest", "v1.0.0");
  for (const name of NAMES.filter((one) => one !== UI)) await remove(name, "1.0", "1", "latest", "v1.0.0");
  await sandbox.docker("system", "prune", "--all", "--force");
  await sandbox.run("up", "--no-stack"); // the base image of the samples is gone, too
  const { code, output } = await up();
  expect([code, output]).toMatchObject([
    0,
    expect.stringContaining("1.0.0 is published in part; what it lacks is set on the builds of that run."),
  ]);
  expect(await published()).toEqual(before);
  await sandbox.pulumi("preview", "--expect-no-changes");
});

test("an image that was added to the catalogue later is named and left out", async () => {
  await loseState();
  // As the catalogue was without it when the version was published.
  await remove(UI, "1.0.0", "1.0", "1", "latest", "v1.0.0", "build-1.0.0");
  const before = await published();
  const { code, output } = await up();
  expect([code, output]).toMatchObject([
    0,
    expect.stringContaining(
      "hyperion-ui was added to the catalogue after 1.0.0 and is left out of it; the next version has it.",
    ),
  ]);
  expect(await published()).toEqual(before);
  await set("version", "1.0.1");
  expect(await up()).toMatchObject({ code: 0 });
  const after = await published();
  for (const name of NAMES)
    expect(Object.keys(after[name] ?? {})).toEqual(expect.arrayContaining(["1.0.1", "latest"]));
});

import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { BUILD_TAG } from "../../components/images/tags/names.ts";
import { signal } from "../../sandbox/lib/processes.ts";
import { bindings, clearFaults, digestOf, fault, faultsLeft, published } from "../support/google.ts";
import { initImagesStack } from "../support/images-stack.ts";
import { failed, passed } from "../support/outcome.ts";
import { withDescendants } from "../support/processes.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

// One stack that holds both registry and images, and two.

const UI = "hyperion-ui";

const sandbox = useSandbox();

afterEach(() => clearFaults(sandbox));

const on = (stack: string): string[] => ["--stack", stack];
const ui = (tag: string) => digestOf(sandbox, UI, tag);
const edit = (): Promise<void> =>
  appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n// another build\n");

async function typesOf(stack: string): Promise<string[]> {
  const { deployment } = JSON.parse(await sandbox.pulumi("stack", "export", ...on(stack))) as {
    deployment: { resources: { type: string }[] };
  };
  return deployment.resources.map(({ type }) => type);
}

/** What happens to the images of a stack, with versions of their own major; each ends with `version` published. */
const EVENTS: Record<string, (stack: string, major: number) => Promise<void>> = {
  "a release": async (stack, major) => {
    await edit();
    await sandbox.set({ version: `${major}.0.0` }, ...on(stack));
    passed(await sandbox.tryUp(...on(stack)));
  },
  "a failed run": async (stack, major) => {
    await edit();
    await sandbox.set({ version: `${major}.0.1` }, ...on(stack));
    await fault(sandbox, { kind: "status", status: 403, times: 0, method: "PATCH", route: "*/tags/latest" });
    failed(await sandbox.tryUp(...on(stack)));
    await clearFaults(sandbox);
    expect(await ui("latest")).toBe(await ui(`${major}.0.0`));
  },
  "a killed run": async (stack, major) => {
    await edit();
    await sandbox.set({ version: `${major}.0.2` }, ...on(stack));
    await fault(sandbox, { kind: "delay", milliseconds: 3000, method: "PATCH", route: "*/tags/latest" });
    const run = sandbox.start("pulumi", ["up", "--yes", "--skip-preview", ...on(stack)]);
    await expect.poll(() => faultsLeft(sandbox), { timeout: 60_000, interval: 10 }).toEqual([]);
    for (const each of withDescendants(run.pid)) signal(each, "SIGKILL");
    expect(await run.ended).toMatchObject({ signal: "SIGKILL" });
    await sandbox.pulumi("cancel", "--yes", stack);
  },
  "a rollback": async (stack, major) => {
    const args = [`${major}.0.0`, "--rollback", "--yes", ...on(stack)];
    passed(await sandbox.command("npm", ["run", "--silent", "release", "--", ...args]));
    expect(await ui("latest")).toBe(await ui(`${major}.0.0`));
  },
};

/** Changes who may read, by a plain `up` of the stack that manages the registry. */
async function changeAccess(reader: string): Promise<void> {
  await sandbox.set({ "readers[0]": reader }, ...on("sandbox"));
  passed(await sandbox.tryUp(...on("sandbox")));
  const members = (await bindings(sandbox)).flatMap((binding) => binding.members);
  expect(members.filter((member) => member.startsWith("user:reader"))).toEqual([reader]);
}

describe.each([
  { layout: "one stack", imagesIn: "sandbox", major: 1 },
  { layout: "two stacks", imagesIn: "images", major: 2 },
])("in $layout, access changes by a plain up", ({ imagesIn, major }) => {
  let before: Record<string, Record<string, string>>;

  if (imagesIn === "images")
    beforeAll(async () => {
      before = await tags();
      await initImagesStack(sandbox, { version: "1.0.0" });
      await sandbox.up(...on("images"));
      await sandbox.set({ publishImages: "false" }, ...on("sandbox"));
      await sandbox.up(...on("sandbox"));
    });

  /** But for those of the build: an engine without its cache builds the second stack's anew. */
  const tags = () => published(sandbox, (tag) => !tag.startsWith(BUILD_TAG));

  if (imagesIn === "images")
    test("after the images moved to a stack of their own, which moves no tag in the registry", async () => {
      expect(await tags()).toEqual(before);
      expect((await typesOf("sandbox")).filter((type) => type.startsWith("docker:"))).toEqual([]);
      expect((await typesOf("images")).filter((type) => type.startsWith("gcp:"))).toEqual([]);
      for (const stack of ["sandbox", "images"]) await sandbox.expectNoChanges(...on(stack));
      await changeAccess("user:reader-moved@example.com");
    });
  else
    test("after the first up", async () => {
      await changeAccess("user:reader-first@example.com");
    });

  test.each(Object.entries(EVENTS))("after %s", async (name, happen) => {
    await happen(imagesIn, major);
    await changeAccess(`user:reader-${major}-${name.replaceAll(" ", "-")}@example.com`);
  });

  test("and the tags are right in the end", async () => {
    if (imagesIn === "images") await sandbox.up(...on("images"));
    await sandbox.expectNoChanges(...on(imagesIn));
    for (const { name } of images)
      expect(await digestOf(sandbox, name, "latest")).toBe(await digestOf(sandbox, name, `${major}.0.0`));
  });
});

test("from two stacks back to one, no tag moves", async () => {
  const before = await published(sandbox, (tag) => tag !== BUILD_TAG);
  await sandbox.set({ version: "2.0.0" }, ...on("sandbox"));
  await sandbox.unset("publishImages", ...on("sandbox"));
  await sandbox.up(...on("sandbox"));
  await sandbox.pulumi("destroy", "--yes", "--skip-preview", ...on("images"));
  await sandbox.pulumi("stack", "rm", "images", "--yes");
  expect(await published(sandbox, (tag) => tag !== BUILD_TAG)).toEqual(before);
  await sandbox.expectNoChanges(...on("sandbox"));
});

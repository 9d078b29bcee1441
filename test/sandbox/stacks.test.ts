import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { signal } from "../../sandbox/lib/processes.ts";
import { bindings, clearFaults, digestOf, fault, faultsLeft, published } from "../support/google.ts";
import { initImagesStack } from "../support/images-stack.ts";
import { failed, passed } from "../support/outcome.ts";
import { withDescendants } from "../support/processes.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

// One stack for registry and images, and two stacks.

const UI = "hyperion-ui";

const sandbox = useSandbox();

afterEach(() => clearFaults(sandbox));

const on = (stack: string): string[] => ["--stack", stack];
/** The tags of versions: an image that a stack declares again can be rebuilt, which changes its working tags. */
const versionTags = () => published(sandbox, (tag) => !/^build(-a.*64)?$/.test(tag));
const ui = (tag: string) => digestOf(sandbox, UI, tag);
const edit = (): Promise<void> =>
  appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n// another build\n");

async function typesOf(stack: string): Promise<string[]> {
  const { deployment } = JSON.parse(await sandbox.pulumi("stack", "export", ...on(stack))) as {
    deployment: { resources: { type: string }[] };
  };
  return deployment.resources.map(({ type }) => type);
}

/** Events of the images of a stack, with versions of one major version. */
const EVENTS = {
  "a release": async (stack: string, major: number) => {
    await edit();
    await sandbox.set({ version: `${major}.0.0` }, ...on(stack));
    passed(await sandbox.tryUp(...on(stack)));
  },
  "a failed run": async (stack: string, major: number) => {
    await edit();
    await sandbox.set({ version: `${major}.0.1` }, ...on(stack));
    await fault(sandbox, { kind: "status", status: 403, times: 0, method: "PATCH", route: "*/tags/latest" });
    failed(await sandbox.tryUp(...on(stack)));
    await clearFaults(sandbox);
    expect(await ui("latest")).toBe(await ui(`${major}.0.0`));
  },
  "a killed run": async (stack: string, major: number) => {
    await edit();
    await sandbox.set({ version: `${major}.0.2` }, ...on(stack));
    await fault(sandbox, { kind: "delay", milliseconds: 3000, method: "PATCH", route: "*/tags/latest" });
    const run = sandbox.start("pulumi", ["up", "--yes", "--skip-preview", ...on(stack)]);
    await expect.poll(() => faultsLeft(sandbox), { timeout: 60_000, interval: 10 }).toEqual([]);
    for (const each of withDescendants(run.pid)) signal(each, "SIGKILL");
    expect(await run.ended).toMatchObject({ signal: "SIGKILL" });
    await sandbox.pulumi("cancel", "--yes", stack);
  },
  "a rollback": async (stack: string, major: number) => {
    const args = [`${major}.0.0`, "--rollback", "--yes", ...on(stack)];
    passed(await sandbox.command("npm", ["run", "--silent", "release", "--", ...args]));
    expect(await ui("latest")).toBe(await ui(`${major}.0.0`));
  },
};

/** Changes the readers with a plain `up` of the stack that manages the registry. */
async function changeAccess(reader: string, shell = sandbox): Promise<void> {
  await sandbox.set({ "readers[0]": reader }, ...on("sandbox"));
  passed(await shell.tryUp(...on("sandbox")));
  const members = (await bindings(sandbox)).flatMap((binding) => binding.members);
  expect(members.filter((member) => member.startsWith("user:reader"))).toEqual([reader]);
}

/** Expects `latest` of each image on this version. */
async function expectLatest(version: string): Promise<void> {
  for (const { name } of images)
    expect(await digestOf(sandbox, name, "latest")).toBe(await digestOf(sandbox, name, version));
}

describe("in one stack, access changes by a plain up", () => {
  test.each(Object.entries(EVENTS))("after %s", async (name, event) => {
    await event("sandbox", 1);
    await changeAccess(`user:reader-after-${name.replaceAll(" ", "-")}@example.com`);
  });

  test("and the tags are correct at the end", async () => {
    await sandbox.expectNoChanges(...on("sandbox"));
    await expectLatest("1.0.0");
  });

  test("without Docker, while publishImages is false, which changes nothing in the registry", async () => {
    const before = await versionTags();
    await sandbox.set({ publishImages: "false" }, ...on("sandbox"));
    const withoutDocker = sandbox.with({ DOCKER_HOST: "unix:///nowhere/docker.sock" });
    await changeAccess("user:reader-without-docker@example.com", withoutDocker);
    expect((await typesOf("sandbox")).filter((type) => type.startsWith("docker:"))).toEqual([]);
    expect(await versionTags()).toEqual(before);
  });
});

describe("in two stacks, access changes by a plain up", () => {
  test("the images move to their own stack, which changes nothing in the registry", async () => {
    const before = await versionTags();
    await initImagesStack(sandbox, { version: "1.0.0" });
    await sandbox.up(...on("images"));
    expect(await versionTags()).toEqual(before);
    expect((await typesOf("images")).filter((type) => type.startsWith("gcp:"))).toEqual([]);
  });

  test("after a release", async () => {
    await EVENTS["a release"]("images", 2);
    await changeAccess("user:reader-of-two-stacks@example.com");
    await sandbox.expectNoChanges(...on("images"));
    await expectLatest("2.0.0");
  });
});

test("the move from two stacks back to one changes nothing in the registry", async () => {
  const before = await versionTags();
  await sandbox.set({ version: "2.0.0" }, ...on("sandbox"));
  await sandbox.unset("publishImages", ...on("sandbox"));
  await sandbox.up(...on("sandbox"));
  await sandbox.pulumi("destroy", "--yes", "--skip-preview", ...on("images"));
  await sandbox.pulumi("stack", "rm", "images", "--yes");
  expect(await versionTags()).toEqual(before);
  await sandbox.expectNoChanges(...on("sandbox"));
});

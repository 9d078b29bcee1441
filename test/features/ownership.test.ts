import { beforeAll, describe, expect, test } from "vitest";
import { google, grant, POOLS, PROJECT, REPOSITORIES } from "../support/google.ts";
import { failed } from "../support/outcome.ts";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

// Who owns existing resources: a stack never takes them over silently.

const ACCOUNTS = `${PROJECT}/serviceAccounts`;
const emailOf = (id: string): string => `${id}@hyperion-sandbox.iam.gserviceaccount.com`;

const FIRST = ["--stack", "sandbox"];
const SECOND = ["--stack", "second"];

const sandbox = useSandbox();

beforeAll(async () => {
  await sandbox.set({ publishImages: "false", githubRepository: "octo/hyperion" }, ...FIRST);
  await sandbox.up(...FIRST);
  await sandbox.pulumi("stack", "init", "second", "--no-select");
  await sandbox.pulumi("config", "cp", ...FIRST, "--dest", "second");
});

async function refused(run: Promise<Outcome>): Promise<string> {
  const output = failed(await run);
  expect(output).toContain("nothing was changed");
  return output;
}

/** Everything at Google that a stack could take over, without the update times, which an unchanged write also sets. */
async function everything(): Promise<unknown[]> {
  const paths = [REPOSITORIES, ACCOUNTS, POOLS, `${POOLS}/hyperion-github/providers`];
  const bodies = await Promise.all(paths.map(async (path) => (await sandbox.google("GET", path)).body));
  const timeless = JSON.stringify(bodies, (key, value: unknown) =>
    key === "updateTime" ? undefined : value,
  );
  return JSON.parse(timeless) as unknown[];
}

describe("a second stack in the same project", () => {
  test("stops up at the resources of the first, even with adoptExisting", async () => {
    const before = await everything();
    await sandbox.set({ adoptExisting: "true" }, ...SECOND);
    const output = await refused(sandbox.tryUp(...SECOND));
    expect(output).toContain("a repository that belongs to the stack hyperion-registry/sandbox");
    expect(output).toContain(
      "a service account that belongs to the stack hyperion-registry/sandbox: it has no key; it has no role on the project",
    );
    expect(output).toContain("an identity pool that belongs to the stack hyperion-registry/sandbox");
    for (const setting of ["repositoryId", "ciServiceAccountId", "githubPoolId"])
      expect(output).toContain(`npm run pulumi -- config set hyperion-registry:${setting} NAME`);
    expect(await everything()).toEqual(before);
  });

  test("creates its own resources with other names, and its destroy keeps those of the first", async () => {
    const before = await everything();
    const own = {
      repositoryId: "hyperion-second",
      ciServiceAccountId: "second-ci",
      githubPoolId: "second-github",
    };
    await sandbox.set(own, ...SECOND);
    await sandbox.up(...SECOND);
    await sandbox.pulumi("destroy", "--yes", ...SECOND);
    expect(await everything()).toEqual(before);
    await sandbox.expectNoChanges(...FIRST);
  });
});

describe("resources that were created by hand", () => {
  const account = `${ACCOUNTS}/${emailOf("by-hand-ci")}`;

  beforeAll(async () => {
    await sandbox.set({ adoptExisting: "false" }, ...SECOND);
    await google(sandbox, "POST", ACCOUNTS, { accountId: "by-hand-ci" });
    await grant(sandbox, "roles/editor", `serviceAccount:${emailOf("by-hand-ci")}`, PROJECT);
  });

  test("stop a preview with the keys and roles of the account, and the command that adopts it", async () => {
    await sandbox.set({ ciServiceAccountId: "by-hand-ci" }, ...SECOND);
    const output = await refused(sandbox.tryPulumi("preview", ...SECOND));
    expect(output).toContain(
      "a service account that already exists and belongs to no stack: it has no key; its roles on the project: roles/editor",
    );
    expect(output).toContain("npm run pulumi -- config set hyperion-registry:adoptExisting true");
    await sandbox.set({ adoptExisting: "true" }, ...SECOND);
    expect(await sandbox.up(...SECOND)).toMatch(/serviceaccount:Account \S+ .*import/);
    expect(await google(sandbox, "GET", account)).toMatchObject({
      description: "Publishes the images of Hyperion (Pulumi stack hyperion-registry/second)",
    });
    await sandbox.expectNoChanges(...SECOND);
  });
});

describe("the resources of this stack", () => {
  test("are adopted again after the state is lost, without adoptExisting", async () => {
    const before = await everything();
    await sandbox.pulumi("stack", "rm", "--force", "--yes", "--preserve-config", ...FIRST);
    await sandbox.pulumi("stack", "init", "sandbox");
    const output = await sandbox.up(...FIRST);
    expect(output).not.toMatch(/replaced|deleted/);
    expect(await everything()).toEqual(before);
    await sandbox.expectNoChanges(...FIRST);
  });
});

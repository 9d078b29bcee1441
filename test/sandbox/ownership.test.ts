import { beforeAll, describe, expect, test } from "vitest";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

// Whose what exists already is: nothing is taken over without a word.

const PROJECT = "v1/projects/hyperion-sandbox";
const REPOSITORIES = `${PROJECT}/locations/us-central1/repositories`;
const ACCOUNTS = `${PROJECT}/serviceAccounts`;
const POOLS = `${PROJECT}/locations/global/workloadIdentityPools`;
const emailOf = (id: string): string => `${id}@hyperion-sandbox.iam.gserviceaccount.com`;

const FIRST = ["--stack", "sandbox"];
const SECOND = ["--stack", "second"];

const sandbox = useSandbox();

beforeAll(async () => {
  for (const [key, value] of Object.entries({ publishImages: "false", githubRepository: "octo/hyperion" }))
    await sandbox.pulumi("config", "set", key, value, ...FIRST);
  await sandbox.pulumi("up", "--yes", "--skip-preview", ...FIRST);
  await sandbox.pulumi("stack", "init", "second", "--no-select");
  await sandbox.pulumi("config", "cp", ...FIRST, "--dest", "second");
});

const up = (stack: string[]): Promise<string> => sandbox.pulumi("up", "--yes", "--skip-preview", ...stack);
const set = (key: string, value: string, stack: string[]): Promise<string> =>
  sandbox.pulumi("config", "set", key, value, ...stack);

async function refused(run: Promise<Outcome>): Promise<string> {
  const { code, output } = await run;
  expect(code, output).not.toBe(0);
  expect(output).toContain("nothing was changed");
  return output;
}

/** Everything at Google that a stack could take over; whoever takes it over may set it to what it is. */
async function everything(): Promise<unknown[]> {
  const paths = [REPOSITORIES, ACCOUNTS, POOLS, `${POOLS}/hyperion-github/providers`];
  const bodies = await Promise.all(paths.map(async (path) => (await sandbox.google("GET", path)).body));
  const timeless = JSON.stringify(bodies, (key, value: unknown) =>
    key === "updateTime" ? undefined : value,
  );
  return JSON.parse(timeless) as unknown[];
}

describe("a second stack in the same project", () => {
  test("A3: stops at preview and up with what the first made, also where it is told to adopt", async () => {
    const before = await everything();
    await set("adoptExisting", "true", SECOND);
    for (const words of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const output = await refused(sandbox.tryPulumi(...words, ...SECOND));
      expect(output).toContain("a repository that the stack hyperion-registry/sandbox made");
      expect(output).toContain(
        "a service account that the stack hyperion-registry/sandbox made: it has no key; it has no role on the project",
      );
      expect(output).toContain("an identity pool that the stack hyperion-registry/sandbox made");
      for (const setting of ["repositoryId", "ciServiceAccountId", "githubPoolId"])
        expect(output).toContain(`pulumi config set hyperion-registry:${setting} NAME`);
    }
    expect(await everything()).toEqual(before);
  });

  test("A3: has its own by other names, and its destroy leaves the first's", async () => {
    const before = await everything();
    await set("repositoryId", "hyperion-second", SECOND);
    await set("ciServiceAccountId", "second-ci", SECOND);
    await set("githubPoolId", "second-github", SECOND);
    await up(SECOND);
    await sandbox.pulumi("destroy", "--yes", ...SECOND);
    expect(await everything()).toEqual(before);
    await sandbox.pulumi("preview", "--expect-no-changes", ...FIRST);
  });
});

describe("what somebody made by hand", () => {
  const account = `${ACCOUNTS}/${emailOf("by-hand-ci")}`;
  const policy = {
    bindings: [{ role: "roles/editor", members: [`serviceAccount:${emailOf("by-hand-ci")}`] }],
  };

  beforeAll(async () => {
    await set("adoptExisting", "false", SECOND);
    expect(await sandbox.google("POST", ACCOUNTS, { accountId: "by-hand-ci" })).toMatchObject({
      status: 200,
    });
    const { body } = await sandbox.google("POST", `${PROJECT}:getIamPolicy`, {});
    const { bindings, ...rest } = body as { bindings: object[] };
    const changed = { policy: { ...rest, bindings: [...bindings, ...policy.bindings] } };
    expect(await sandbox.google("POST", `${PROJECT}:setIamPolicy`, changed)).toMatchObject({ status: 200 });
  });

  test("M11: an account of that name stops with its keys, its roles and the command that adopts it", async () => {
    await set("ciServiceAccountId", "by-hand-ci", SECOND);
    const output = await refused(sandbox.tryPulumi("preview", ...SECOND));
    expect(output).toContain(
      "a service account that exists already, and that no stack is known to have made: it has no key; its roles on the project: roles/editor",
    );
    expect(output).toContain("pulumi config set hyperion-registry:adoptExisting true");
    await set("adoptExisting", "true", SECOND);
    expect(await up(SECOND)).toMatch(/serviceaccount:Account \S+ .*import/);
    expect((await sandbox.google("GET", account)).body).toMatchObject({
      description: "Publishes the images of Hyperion (Pulumi stack hyperion-registry/second)",
    });
    await sandbox.pulumi("preview", "--expect-no-changes", ...SECOND);
  });

  test("A5: a repository with a customer-managed key stops, though it is told to adopt", async () => {
    const kmsKeyName = "projects/hyperion-sandbox/locations/us-central1/keyRings/r/cryptoKeys/k";
    const made = await sandbox.google("POST", `${REPOSITORIES}?repositoryId=with-key`, {
      format: "DOCKER",
      kmsKeyName,
    });
    expect(made.status).toBe(200);
    await sandbox.pulumi("destroy", "--yes", ...SECOND);
    await set("repositoryId", "with-key", SECOND);
    const output = await refused(sandbox.tryPulumi("preview", ...SECOND));
    expect(output).toContain(
      `a repository that could only be replaced, with all that is in it: it has the customer-managed key ${kmsKeyName}`,
    );
  });
});

describe("what this stack made", () => {
  test("is taken up again after its state is lost, though it is not told to adopt", async () => {
    const before = await everything();
    await sandbox.pulumi("stack", "rm", "--force", "--yes", "--preserve-config", ...FIRST);
    await sandbox.pulumi("stack", "init", "sandbox");
    const output = await up(FIRST);
    expect(output).not.toMatch(/replaced|deleted/);
    expect(await everything()).toEqual(before);
    await sandbox.pulumi("preview", "--expect-no-changes", ...FIRST);
  });
});

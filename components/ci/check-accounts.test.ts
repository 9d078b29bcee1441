import { describe, expect, test } from "vitest";
import { type Answers, fakeGoogle, logged } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { checkAccounts } from "./check-accounts.ts";

const PROJECT = "projects/production-471918";
const emailOf = (id: string): string => `${id}@production-471918.iam.gserviceaccount.com`;
const nameOf = (id: string): string => `${PROJECT}/serviceAccounts/${emailOf(id)}`;
const ACCOUNT = `GET /${nameOf("hyperion-ci")}`;
const PREVIEW = `GET /${nameOf("hyperion-ci-preview")}`;

const there = (description?: string) => ({ status: 200, body: { description } });

async function check(
  { outputs = {}, adoptExisting = false, withPreview = false } = {},
  answers: Answers = {},
) {
  const requests = await fakeGoogle(answers);
  const accounts = { project: "production-471918", accountId: "hyperion-ci", withPreview };
  const { result } = await declare(() => checkAccounts(accounts, outputs, adoptExisting));
  return { ...result, asked: requests.map(({ what }) => what).sort() };
}

describe("the CI accounts", () => {
  test("are created if they do not exist", async () => {
    const { found, problems, asked } = await check({ withPreview: true });
    expect([found, problems]).toEqual([{ publisher: "create", previewer: "create" }, []]);
    expect(asked).toEqual([PREVIEW, ACCOUNT]);
  });

  test("are not looked up if they are in the last outputs", async () => {
    const outputs = {
      ciServiceAccountEmail: emailOf("hyperion-ci"),
      previewServiceAccountEmail: emailOf("hyperion-ci-preview"),
    };
    expect(await check({ withPreview: true, outputs }, { [ACCOUNT]: there() })).toEqual({
      found: { publisher: "create", previewer: "create" },
      problems: [],
      asked: [],
    });
  });

  test("are imported by their own names", async () => {
    const { found } = await check({ withPreview: true, adoptExisting: true }, { [ACCOUNT]: there() });
    expect(found).toEqual({ publisher: "import", previewer: "create" });
  });

  test("M11: are reported if they were created by hand, with keys, roles and commands", async () => {
    const policy = {
      bindings: [
        { role: "roles/editor", members: [`serviceAccount:${emailOf("hyperion-ci")}`] },
        { role: "roles/viewer", members: ["user:dana@example.com"] },
        { role: "roles/browser" },
      ],
    };
    const keys = [{ validAfterTime: "2025-03-01T10:00:00Z" }, { validAfterTime: "2023-06-30T10:00:00Z" }];
    const { problems } = await check(
      {},
      {
        [ACCOUNT]: there("Deploys"),
        [`${ACCOUNT}/keys?keyTypes=USER_MANAGED`]: { status: 200, body: { keys } },
        [`POST /${PROJECT}:getIamPolicy`]: { status: 200, body: policy },
      },
    );
    expect(problems).toEqual([
      {
        where: nameOf("hyperion-ci"),
        found:
          "a service account that already exists and belongs to no stack: its keys: 2, the oldest of 2023-06-30; its roles on the project: roles/editor",
        allowed: "a resource of this stack (project/stack)",
        fix: "npm run pulumi -- config set hyperion-registry:adoptExisting true   # imports it as it is\n           or use another name: npm run pulumi -- config set hyperion-registry:ciServiceAccountId NAME",
      },
    ]);
  });

  test("A3: are reported if another stack owns them, even with adoptExisting and without permission to read more", async () => {
    const production = there("Publishes the images of Hyperion (Pulumi stack hyperion-registry/production)");
    const outcome = async (more: Answers): Promise<string[]> => {
      const { problems } = await check({ adoptExisting: true }, { [ACCOUNT]: production, ...more });
      return problems.map(({ found }) => found);
    };
    const made = "a service account that belongs to the stack hyperion-registry/production";
    expect(
      await outcome({
        [`${ACCOUNT}/keys?keyTypes=USER_MANAGED`]: { status: 403 },
        [`POST /${PROJECT}:getIamPolicy`]: { status: 403 },
      }),
    ).toEqual([`${made}: no permission to read its keys; no permission to read its roles on the project`]);
    expect(
      await outcome({
        [`${ACCOUNT}/keys?keyTypes=USER_MANAGED`]: { status: 200 },
        [`POST /${PROJECT}:getIamPolicy`]: { status: 200 },
      }),
    ).toEqual([`${made}: it has no key; it has no role on the project`]);
  });

  test("count as missing, with a warning, if the caller has no permission to read them", async () => {
    const { warn } = logged();
    const { found, problems } = await check({}, { [ACCOUNT]: { status: 403 } });
    expect([found.publisher, problems]).toEqual(["create", []]);
    expect(warn).toEqual([
      expect.stringMatching(
        /serviceAccounts\/\S+: Google answered 403, so whether it exists already is not checked\.$/,
      ),
    ]);
  });
});

import { describe, expect, test } from "vitest";
import { CiServiceAccount, type CiServiceAccountArgs } from "./ci-service-account.ts";
import { type Declared, declareOn, valueOf } from "../../test/support/mocks.ts";

const reading = {
  project: "production-471918",
  accountId: "hyperion-ci",
  canPublish: false,
  withPreview: false,
  adoptPublisher: false,
  adoptPreviewer: false,
};

const ci = (args: Partial<CiServiceAccountArgs>) =>
  declareOn((repository) => new CiServiceAccount("ci", { ...reading, repository, ...args }));

const summary = (resources: Declared[]): string[] =>
  resources.map(({ type, name }) => `${type.split(":")[2] ?? ""} ${name}`).sort();

describe("CiServiceAccount", () => {
  test("declares an account that can read one repository, without project role or key", async () => {
    const { resources, result } = await ci({});
    expect(summary(resources)).toEqual(["Account ci", "RepositoryIamMember ci-reader", "Service ci"]);
    const account = resources.find(({ type }) => type.endsWith(":Account"));
    expect(account).toMatchObject({
      inputs: {
        project: "production-471918",
        accountId: "hyperion-ci",
        description: "Publishes the images of Hyperion (Pulumi stack project/stack)",
        createIgnoreAlreadyExists: true,
      },
      parent: "ci",
      dependsOn: ["ci"],
    });
    const grant = resources.find(({ name }) => name === "ci-reader");
    expect(grant?.inputs).toEqual({
      project: "production-471918",
      location: "us-central1",
      repository: "hyperion-public",
      role: "roles/artifactregistry.reader",
      member: "serviceAccount:hyperion-ci@production-471918.iam.gserviceaccount.com",
    });
    expect(await valueOf(result.publisher.email)).toBe(
      "hyperion-ci@production-471918.iam.gserviceaccount.com",
    );
    expect(result.previewer).toBeUndefined();
  });

  test("grants write access only with canPublish", async () => {
    const { resources, result } = await ci({ canPublish: true });
    const roles = resources.map(({ inputs }) => inputs["role"]).filter((role) => role !== undefined);
    expect(roles).toEqual(["roles/artifactregistry.reader", "roles/artifactregistry.writer"]);
    expect(await Promise.all(result.writers.map(valueOf))).toEqual([
      "serviceAccount:hyperion-ci@production-471918.iam.gserviceaccount.com",
    ]);
  });

  test("imports existing accounts by their full names", async () => {
    const { resources } = await ci({ withPreview: true, adoptPublisher: true, adoptPreviewer: true });
    expect(resources.map(({ importId }) => importId).filter((id) => id !== "")).toEqual(
      ["hyperion-ci", "hyperion-ci-preview"].map(
        (id) => `projects/production-471918/serviceAccounts/${id}@production-471918.iam.gserviceaccount.com`,
      ),
    );
  });

  test("declares a second account that can only read", async () => {
    const { resources, result } = await ci({ withPreview: true, canPublish: true });
    expect(summary(resources)).toEqual([
      "Account ci",
      "Account ci-preview",
      "RepositoryIamMember ci-preview-reader",
      "RepositoryIamMember ci-reader",
      "RepositoryIamMember ci-writer",
      "Service ci",
    ]);
    const preview = "serviceAccount:hyperion-ci-preview@production-471918.iam.gserviceaccount.com";
    expect(await Promise.all(result.readers.map(valueOf))).toContain(preview);
    expect(await Promise.all(result.writers.map(valueOf))).not.toContain(preview);
  });
});

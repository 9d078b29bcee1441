import { describe, expect, test } from "vitest";
import { RepositoryAccess, type RepositoryAccessArgs } from "./repository-access.ts";
import { type Declared, declareOn, PLAIN } from "../../test/support/mocks.ts";

const closed = {
  project: "production-471918",
  readers: [],
  writers: [],
  publicAccess: false,
  overrideDomainRestrictedSharing: false,
  adoptException: false,
};

const access = (args: Partial<RepositoryAccessArgs>) =>
  declareOn((repository) => new RepositoryAccess("access", { ...closed, repository, ...args }));

function binding(kind: "reader" | "writer", member: string, dependsOn: string[] = []): Declared {
  return {
    ...PLAIN,
    type: "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
    name: `access-${kind}-${member}`,
    inputs: {
      project: "production-471918",
      location: "us-central1",
      repository: "hyperion-public",
      role: `roles/artifactregistry.${kind}`,
      member,
    },
    parent: "access",
    dependsOn: ["given", ...dependsOn].sort(),
  };
}

describe("RepositoryAccess", () => {
  test("grants nothing without principals", async () => {
    const { resources, result } = await access({});
    expect(resources).toEqual([]);
    expect([result.readers, result.writers]).toEqual([[], []]);
  });

  test("declares an additive binding for each principal", async () => {
    const { resources, result } = await access({
      readers: ["group:devs@example.com", "domain:example.com"],
      writers: ["user:dana@example.com"],
    });
    expect(resources).toEqual([
      binding("reader", "group:devs@example.com"),
      binding("reader", "domain:example.com"),
      binding("writer", "user:dana@example.com"),
    ]);
    expect(result.readers).toEqual(["group:devs@example.com", "domain:example.com"]);
    expect(result.writers).toEqual(["user:dana@example.com"]);
  });

  test("grants allUsers read access for public access", async () => {
    const { resources, result } = await access({ publicAccess: true });
    expect(resources.map(({ type, name }) => [type, name])).toEqual([
      ["gcp:projects/service:Service", "access"],
      ["gcp:artifactregistry/repositoryIamMember:RepositoryIamMember", "access-reader-allUsers"],
    ]);
    expect(resources[1]).toEqual(binding("reader", "allUsers"));
    expect(result.readers).toEqual(["allUsers"]);
  });

  test("declares the exception from the organization policy before the public binding", async () => {
    const { resources } = await access({ publicAccess: true, overrideDomainRestrictedSharing: true });
    expect(resources.map(({ name, type }) => `${type.split(":")[2] ?? ""} ${name}`)).toEqual([
      "Service access",
      "Policy access",
      "RepositoryIamMember access-reader-allUsers",
    ]);
    expect(resources[1]?.inputs).toEqual({
      name: "projects/production-471918/policies/iam.allowedPolicyMemberDomains",
      parent: "projects/production-471918",
      spec: { rules: [{ allowAll: "TRUE" }] },
    });
    expect(resources[1]?.dependsOn).toEqual(["access"]);
    expect(resources[2]).toEqual(binding("reader", "allUsers", ["access"]));
  });
});

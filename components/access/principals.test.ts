import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { principalProblem } from "./principals.ts";

const POOL = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github";

const GKE =
  "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/my-project.svc.id.goog";

describe("principals", () => {
  test.each([
    "user:dana@example.com",
    "group:devs@example.co.uk",
    "serviceAccount:ci@my-project.iam.gserviceaccount.com",
    "serviceAccount:my-project.svc.id.goog[namespace/account]",
    "domain:example.com",
    `principal:${POOL}/subject/repo:a/b:ref:refs/heads/main`,
    `principalSet:${POOL}/attribute.repository/a/b`,
    `principalSet:${POOL}/*`,
    "principalSet://iam.googleapis.com/locations/global/workforcePools/altostrat-contractors/group/devs",
    "allAuthenticatedUsers",
    "principal://iam.googleapis.com/locations/global/workforcePools/altostrat-contractors/subject/raha@altostrat.com",
    "principalSet://iam.googleapis.com/locations/global/workforcePools/altostrat-contractors/group/administrators-group@altostrat.com",
    "principalSet://iam.googleapis.com/locations/global/workforcePools/altostrat-contractors/*",
    ...["projects", "folders", "organizations"].map(
      (kind) => `principalSet://cloudresourcemanager.googleapis.com/${kind}/123456789012/type/ServiceAccount`,
    ),
    "principalSet://cloudresourcemanager.googleapis.com/projects/123456789012/type/ServiceAgent",
    `principal:${GKE}/subject/ns/hyperion/sa/coordinator`,
    `principal:${GKE}/kubernetes.serviceaccount.uid/0b8bb4a4-1f6a-4d8c-9f0e-2f6d3c1b7a55`,
    `principalSet:${GKE}/namespace/hyperion`,
    `principalSet:${GKE}/kubernetes.cluster/https://container.googleapis.com/v1/projects/my-project/locations/us-central1/clusters/main`,
    "serviceAccount:example.com:my-project.svc.id.goog[namespace/account]",
    "serviceAccount:example.com:my-project@appspot.gserviceaccount.com",
    "serviceAccount:ci@my-project.example.com.iam.gserviceaccount.com",
    // The longest id of a workforce pool.
    `principalSet://iam.googleapis.com/locations/global/workforcePools/${"w".repeat(63)}/*`,
  ])("%s is valid", (principal) => {
    expect(principalProblem(principal)).toBeUndefined();
  });

  test.each([
    ["usr:dana@example.com", "user:dana@example.com"],
    ["serviceaccount:ci@p.iam.gserviceaccount.com", "serviceAccount:ci@p.iam.gserviceaccount.com"],
    ["groups:devs@example.com", "group:devs@example.com"],
    ["allAuthenticatedUser", "allAuthenticatedUsers"],
    ["domain:Example.com", "domain:example.com"],
    ["Dana@example.com", "user:dana@example.com"],
    ["ci@my-project.iam.gserviceaccount.com", "serviceAccount:ci@my-project.iam.gserviceaccount.com"],
    ["example.com", "domain:example.com"],
    ["user:dana", "user:dana@example.com"],
    ["user:A'; id", "user:dana@example.com"],
    [
      "principalset://iam.googleapis.com/locations/global/workforcePools/altostrat-contractors/*",
      "principalSet://iam.googleapis.com/locations/global/workforcePools/altostrat-contractors/*",
    ],
  ])("the misspelling %s suggests %s", (slip, meant) => {
    expect(principalProblem(slip)?.instead).toBe(meant);
  });

  test.each([
    "",
    "user:",
    "user:dana",
    "user:a@b c.d",
    "domain:-",
    "*",
    "projectOwner:p",
    "serviceAccount:example.com:ci@my-project.iam.gserviceaccount.com",
    // Workforce pools have no project, workload identity pools have one, and their ids differ in length.
    "principalSet://iam.googleapis.com/locations/global/workloadIdentityPools/github/*",
    "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workforcePools/altostrat-contractors/*",
    "principalSet://iam.googleapis.com/locations/global/workforcePools/staff/*",
    `principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/${"w".repeat(33)}/*`,
    "principalSet://iam.googleapis.com/projects/my-project/locations/global/workloadIdentityPools/github/*",
    `principal:${GKE}/subject/ns/hyperion`,
    `principalSet:${GKE}/kubernetes.cluster/main`,
    "principalSet://cloudresourcemanager.googleapis.com/projects/my-project/type/ServiceAccount",
    "principal://iam.googleapis.com/locations/global/workforcePools/altostrat-contractors/subject/a\u001b[2J",
  ])("%j is invalid", (principal) => {
    expect(principalProblem(principal)).toBeDefined();
  });

  test.each(["usr:dana", "usr:$(id)@example.com", `usr:${"a".repeat(600)}@example.com`])(
    "the misspelling %s suggests nothing, because its correction is invalid",
    (slip) => {
      expect(principalProblem(slip)).toEqual({ allowed: expect.any(String) as string });
    },
  );

  test("property: white space and control characters are invalid", () => {
    const kind = fc.constantFrom("user:", "group:", "domain:", "serviceAccount:");
    fc.assert(
      fc.property(
        kind,
        fc.string(),
        fc.constantFrom(" ", "\n", "\t", "\0"),
        fc.string(),
        (prefix, a, bad, b) => {
          expect(principalProblem(`${prefix}${a}${bad}${b}@example.com`)).toBeDefined();
        },
      ),
    );
  });

  test("property: every email address in lower case is a valid user and group", () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    fc.assert(
      fc.property(fc.constantFrom("user:", "group:"), word, word, word, (prefix, name, host, end) => {
        expect(principalProblem(`${prefix}${name}@${host}.${end}`)).toBeUndefined();
      }),
    );
  });
});

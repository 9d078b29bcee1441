import { evaluate } from "@marcbachmann/cel-js";
import { describe, expect, test } from "vitest";
import { attributeCondition, attributeMapping, type GithubTrust } from "./github-claims.ts";

const trust: GithubTrust = {
  repository: "HyperionWave-AI/dev-squad",
  refs: ["refs/heads/main", "refs/tags/v*"],
  environment: "production",
};
const assertion: Record<string, string> = {
  sub: "repo:HyperionWave-AI/dev-squad:environment:production",
  repository: "HyperionWave-AI/dev-squad",
  repository_id: "123",
  repository_owner_id: "456",
  run_id: "789",
  event_name: "push",
  ref: "refs/heads/main",
  environment: "production",
  workflow_ref: "HyperionWave-AI/dev-squad/.github/workflows/publish.yml@refs/heads/main",
};

/** The attributes of a token with these claims. Leaves out undefined claims. */
function mapped(claims: Record<string, unknown>, github = trust): Record<string, unknown> {
  const token = Object.fromEntries(
    Object.entries<unknown>({ ...assertion, ...claims }).filter(([, value]) => value !== undefined),
  );
  return Object.fromEntries(
    Object.entries(attributeMapping(github)).map(([name, expression]) => [
      name,
      evaluate(expression, { assertion: token }),
    ]),
  );
}

const evil = {
  ref: "refs/tags/v0-evil",
  environment: undefined,
  workflow_ref: "HyperionWave-AI/dev-squad/.github/workflows/evil.yml@refs/tags/v0-evil",
};
const driftOn = (ref: string) => ({
  event_name: "workflow_dispatch",
  ref,
  environment: undefined,
  workflow_ref: `HyperionWave-AI/dev-squad/.github/workflows/drift.yml@${ref}`,
});

describe("attribute.access", () => {
  test.each<[string, Record<string, unknown>, string]>([
    ["a push to main", {}, "publish"],
    ["a push of a version tag", { ref: "refs/tags/v1.4.2" }, "publish"],
    ["a manual run on main", { event_name: "workflow_dispatch" }, "publish"],
    ["the environment in another letter case", { environment: "Production" }, "publish"],
    ["no environment", { environment: undefined }, "none"],
    ["another environment", { environment: "staging" }, "none"],
    ["v0-evil: a tag of a commit with another workflow", evil, "none"],
    ["a push to another branch", { ref: "refs/heads/topic" }, "none"],
    ["a branch whose name begins like main", { ref: "refs/heads/mainline" }, "none"],
    ["a push of another tag", { ref: "refs/tags/nightly" }, "none"],
    ["a manual run on another branch", { event_name: "workflow_dispatch", ref: "refs/heads/topic" }, "none"],
    ["a pull request", { event_name: "pull_request", ref: "refs/pull/7/merge" }, "preview"],
    ["a pull request without environment", { event_name: "pull_request", environment: undefined }, "preview"],
    ["pull_request_target, which has main as its ref", { event_name: "pull_request_target" }, "none"],
    ["a schedule on main", { event_name: "schedule" }, "none"],
    ["the drift job", driftOn("refs/heads/main"), "drift"],
    [
      "the drift job in an environment",
      { ...driftOn("refs/heads/main"), environment: "production" },
      "drift",
    ],
    ["the drift job of another branch", driftOn("refs/heads/topic"), "none"],
    [
      "another workflow with the drift job's name on another ref",
      { ...driftOn("refs/heads/topic"), ref: "refs/heads/main" },
      "none",
    ],
    [
      "the drift job of a repository that was renamed",
      {
        ...driftOn("refs/heads/main"),
        repository: "HyperionWave-AI/renamed",
        workflow_ref: "HyperionWave-AI/renamed/.github/workflows/drift.yml@refs/heads/main",
      },
      "drift",
    ],
    [
      "a drift.yml of another repository",
      { ...driftOn("refs/heads/main"), workflow_ref: "eve/x/.github/workflows/drift.yml@refs/heads/main" },
      "none",
    ],
  ])("%s", (_, claims, access) => {
    expect(mapped(claims)["attribute.access"]).toBe(access);
  });

  test("quotes names with quotation marks", () => {
    const github = { ...trust, refs: ["refs/heads/it's"], environment: `it's "live" \\o/` };
    expect(mapped({ ref: "refs/heads/it's", environment: github.environment }, github)).toMatchObject({
      "attribute.access": "publish",
    });
    expect(mapped({ environment: github.environment }, github)).toMatchObject({ "attribute.access": "none" });
  });
});

test("the subject is short, even if GitHub's is long", () => {
  const long = { sub: `repo:o/r:environment:${"e".repeat(255)}`, ref: `refs/heads/${"r".repeat(244)}` };
  expect(mapped(long)["google.subject"]).toBe("123:789");
});

describe("the condition", () => {
  const ids = { repository: "123", owner: "456" };
  test.each([
    ["this repository by name", trust, {}, true],
    [
      "this repository by its name in another letter case",
      { ...trust, repository: "hyperionwave-ai/DEV-squad" },
      {},
      true,
    ],
    ["another repository", trust, { repository: "somebody/dev-squad" }, false],
    [
      "this repository by its ids, renamed",
      { ...trust, ids },
      { repository: "HyperionWave-AI/renamed" },
      true,
    ],
    ["the same name, registered by another owner", { ...trust, ids }, { repository_id: "999" }, false],
    ["the same repository with another owner", { ...trust, ids }, { repository_owner_id: "999" }, false],
  ])("%s", (_, github, claims, admitted) => {
    const condition = attributeCondition(github);
    expect(evaluate(condition, { assertion: { ...assertion, ...claims } })).toBe(admitted);
  });
});

import { evaluate } from "@marcbachmann/cel-js";
import { describe, expect, test } from "vitest";
import { attributeCondition, attributeMapping } from "./github-claims.ts";

const trust = { repository: "HyperionWave-AI/dev-squad", refs: ["refs/heads/main", "refs/tags/v*"] };
const assertion = {
  sub: "repo:HyperionWave-AI/dev-squad:ref:refs/heads/main",
  repository: "HyperionWave-AI/dev-squad",
  repository_id: "123",
  repository_owner_id: "456",
  event_name: "push",
  ref: "refs/heads/main",
};

describe("attribute.access", () => {
  test.each([
    ["a push to main", {}, "publish"],
    ["a push of a version tag", { ref: "refs/tags/v1.4.2" }, "publish"],
    ["a manual run on main", { event_name: "workflow_dispatch" }, "publish"],
    ["a push to another branch", { ref: "refs/heads/topic" }, "none"],
    ["a branch whose name begins like main", { ref: "refs/heads/mainline" }, "none"],
    ["a push of another tag", { ref: "refs/tags/nightly" }, "none"],
    ["a manual run on another branch", { event_name: "workflow_dispatch", ref: "refs/heads/topic" }, "none"],
    ["a pull request", { event_name: "pull_request", ref: "refs/pull/7/merge" }, "preview"],
    ["pull_request_target, which has main as its ref", { event_name: "pull_request_target" }, "none"],
    ["a schedule on main", { event_name: "schedule" }, "none"],
  ])("%s", (_, claims, access) => {
    const expression = attributeMapping(trust)["attribute.access"] ?? "";
    expect(evaluate(expression, { assertion: { ...assertion, ...claims } })).toBe(access);
  });
});

describe("the condition", () => {
  const ids = { repository: "123", owner: "456" };
  test.each([
    ["this repository by name", trust, {}, true],
    ["another repository", trust, { repository: "somebody/dev-squad" }, false],
    [
      "this repository by its ids, renamed",
      { ...trust, ids },
      { repository: "HyperionWave-AI/renamed" },
      true,
    ],
    ["the same name registered by somebody else", { ...trust, ids }, { repository_id: "999" }, false],
    ["the same repository with another owner", { ...trust, ids }, { repository_owner_id: "999" }, false],
  ])("%s", (_, github, claims, admitted) => {
    expect(evaluate(attributeCondition(github), { assertion: { ...assertion, ...claims } })).toBe(admitted);
  });
});

import { beforeAll, describe, expect } from "vitest";
import { useSandbox } from "../support/shared-sandbox.ts";
import { expectDeclared } from "./declared.ts";
import {
  bindings,
  fault,
  faultsLeft,
  google,
  POLICIES,
  POOLS,
  PROJECT,
  removeMember,
  REPOSITORY,
} from "../support/google.ts";
import { expectFailure, expectSuccess, fixByRefresh, fixByUp, pluginsOf, runAndSummarize } from "./fixing.ts";
import { seenIn } from "./seen.ts";
import { survives } from "./survives.ts";

const OTHERS = "user:other-editor@example.com";
const READER = "user:lee@example.com";

const sandbox = useSandbox();

beforeAll(async () => {
  await sandbox.set({ githubRepository: "HyperionWave-AI/dev-squad" });
  await runAndSummarize(sandbox, "up");
});

describe("Changes outside the stack", () => {
  survives("another person edits the repository's policy at the same time (409)", async () => {
    await sandbox.set({ "readers[0]": READER });
    await fault(sandbox, { kind: "conflict" });
    const next = await runAndSummarize(sandbox, "up");
    expect(await faultsLeft(sandbox)).toEqual([]);
    await expectDeclared(sandbox, { bindings: [`roles/artifactregistry.reader ${OTHERS}`] });
    await removeMember(sandbox, OTHERS);
    return {
      happened: "the policy is read and written again; the other binding stays",
      seen: "nothing",
      next: `the same ${next}`,
      plugins: pluginsOf(sandbox),
    };
  });

  survives("a binding is removed", async () => {
    await removeMember(sandbox, READER);
    return fixByRefresh(sandbox, "the images stay", "1 created");
  });

  survives("the service account is deleted", async () => {
    const email = await sandbox.output("ciServiceAccountEmail");
    await google(sandbox, "DELETE", `${PROJECT}/serviceAccounts/${email}`);
    const left = (await bindings(sandbox)).flatMap(({ members }) =>
      members.filter((member) => member.startsWith(`deleted:serviceAccount:${email}`)),
    );
    expect(left).toHaveLength(1);
    const row = await fixByRefresh(
      sandbox,
      "created again, with its grants; Google keeps an entry `deleted:...` without effect in the policy",
      "created",
      { bindings: left.map((member) => `roles/artifactregistry.reader ${member}`) },
    );
    for (const member of left) await removeMember(sandbox, member);
    return row;
  });

  survives("the repository is changed", async () => {
    await google(sandbox, "PATCH", `${REPOSITORY}?updateMask=description,labels`, {
      description: "changed by hand",
      labels: { changed: "by-hand" },
    });
    return fixByRefresh(sandbox, "changed back in place; the images stay", "1 updated");
  });

  survives("the Artifact Registry API is disabled", async () => {
    const service = `${PROJECT}/services/artifactregistry.googleapis.com`;
    await google(sandbox, "POST", `${service}:disable`, { disableDependentServices: true });
    await sandbox.set({ "labels.round": "disabled" });
    const output = await expectFailure(sandbox);
    await google(sandbox, "POST", `${service}:enable`, {});
    expect(await runAndSummarize(sandbox, "refresh")).not.toMatch(/deleted|updated/);
    const row = await fixByUp(
      sandbox,
      "nothing is changed; the images stay",
      seenIn(output, /is disabled|Error 403/),
    );
    return { ...row, next: `enable it, \`pulumi refresh\`, then ${row.next}` };
  });

  survives("the identity pool is deleted", async () => {
    await google(sandbox, "DELETE", `${POOLS}/hyperion-github`);
    return fixByRefresh(sandbox, "undeleted", "imported");
  });

  survives("the exception from the organization's policy is deleted", async () => {
    await google(sandbox, "PUT", "sandbox/org-policy", { mode: "deny" });
    await sandbox.set({ publicAccess: "true", overrideDomainRestrictedSharing: "true" });
    await runAndSummarize(sandbox, "up");
    await google(sandbox, "DELETE", `${POLICIES}/iam.allowedPolicyMemberDomains`);
    return fixByRefresh(sandbox, "created again", "1 created");
  });

  survives("the repository is deleted", async () => {
    await google(sandbox, "DELETE", REPOSITORY);
    await expectSuccess(sandbox, "refresh");
    const output = await expectFailure(sandbox);
    const next = "pulumi up --replace '**docker:index/image:Image**'";
    await sandbox.up("--replace", "**docker:index/image:Image**");
    await expectDeclared(sandbox);
    return {
      happened: "created again, with its grants; the images are built again",
      seen: seenIn(output, /answered 404 to a request to read it/),
      next: `\`pulumi refresh\`, then \`${next}\``,
      plugins: pluginsOf(sandbox),
    };
  });
});

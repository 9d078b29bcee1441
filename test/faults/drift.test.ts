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
import { expectFailure, expectSuccess, mapFaults, pluginsOf, runAndSummarize, summarize } from "./fixing.ts";
import { seenIn } from "./seen.ts";
import { survives, survivesAll } from "./survives.ts";

const OTHERS = "user:other-editor@example.com";
const READER = "user:lee@example.com";
const READER_ROLE = "roles/artifactregistry.reader";

const CONFLICT = "another person edits the repository's policy at the same time (409)";
const DISABLED = "the Artifact Registry API is disabled";

interface Change {
  make: () => Promise<unknown>;
  happened: string;
  /** What `pulumi refresh` prints, and then `pulumi up`. */
  printed: [refresh: RegExp, up: RegExp];
}

const sandbox = useSandbox();

/** Changes that `pulumi refresh` finds and `pulumi up` reverts. */
const CHANGES = {
  "a binding is removed": {
    make: () => removeMember(sandbox, READER),
    happened: "the images stay",
    printed: [
      /RepositoryIamMember access-reader-user:lee@example.com deleted/,
      /RepositoryIamMember access-reader-user:lee@example.com created/,
    ],
  },
  "the service account is deleted": {
    make: async () =>
      google(
        sandbox,
        "DELETE",
        `${PROJECT}/serviceAccounts/${await sandbox.output("ciServiceAccountEmail")}`,
      ),
    happened:
      "created again, with its grants; Google keeps an entry `deleted:...` without effect in the policy",
    printed: [/serviceaccount:Account \S+ deleted/, /serviceaccount:Account \S+ created/],
  },
  "the repository is changed": {
    make: () =>
      google(sandbox, "PATCH", `${REPOSITORY}?updateMask=description,labels`, {
        description: "changed by hand",
        labels: { changed: "by-hand" },
      }),
    happened: "changed back in place; the images stay",
    printed: [/Repository \S+ updated/, /Repository \S+ updated/],
  },
  "the identity pool is deleted": {
    make: () => google(sandbox, "DELETE", `${POOLS}/hyperion-github`),
    happened: "undeleted",
    printed: [/WorkloadIdentityPool \S+ deleted/, /WorkloadIdentityPool \S+ imported/],
  },
  "the exception from the organization's policy is deleted": {
    make: () => google(sandbox, "DELETE", `${POLICIES}/iam.allowedPolicyMemberDomains`),
    happened: "created again",
    printed: [/orgpolicy:Policy \S+ deleted/, /orgpolicy:Policy \S+ created/],
  },
} satisfies Record<string, Change>;

beforeAll(async () => {
  await google(sandbox, "PUT", "sandbox/org-policy", { mode: "deny" });
  await sandbox.set({
    githubRepository: "HyperionWave-AI/dev-squad",
    publicAccess: "true",
    overrideDomainRestrictedSharing: "true",
    "readers[0]": READER,
  });
  await runAndSummarize(sandbox, "up");
});

describe("Changes outside the stack", () => {
  survivesAll([...Object.keys(CHANGES), CONFLICT, DISABLED], async () => {
    const service = `${PROJECT}/services/artifactregistry.googleapis.com`;
    await google(sandbox, "POST", `${service}:disable`, { disableDependentServices: true });
    await sandbox.set({ "labels.round": "disabled" });
    const disabled = await expectFailure(sandbox);
    await google(sandbox, "POST", `${service}:enable`, {});

    for (const { make } of Object.values<Change>(CHANGES)) await make();
    const left = (await bindings(sandbox))
      .flatMap(({ members }) => members)
      .filter((member) => member.startsWith("deleted:serviceAccount:"));
    expect(left).toHaveLength(1);

    const refresh = await expectSuccess(sandbox, "refresh");
    // Only the changes of `CHANGES`: the failed `up` made none. The service account has two grants.
    expect(summarize("refresh", refresh)).toBe("`pulumi refresh`: 1 updated, 6 deleted");
    await fault(sandbox, { kind: "conflict", route: "*repositories*:setIamPolicy" });
    const up = await expectSuccess(sandbox, "up");
    expect(await faultsLeft(sandbox)).toEqual([]);
    expect(summarize("up", up)).toBe("`pulumi up`: 5 created, 1 updated, 1 imported");
    const others = [...left, OTHERS];
    await expectDeclared(sandbox, { bindings: others.map((member) => `${READER_ROLE} ${member}`) });
    for (const member of others) await removeMember(sandbox, member);

    const next = summarize("up", up);
    const plugins = pluginsOf(sandbox);
    return {
      ...mapFaults<keyof typeof CHANGES, Change>(CHANGES, ({ happened, printed }) => {
        expect(refresh).toMatch(printed[0]);
        expect(up).toMatch(printed[1]);
        return {
          happened,
          seen: `\`pulumi refresh\`: ${printed[0].exec(refresh)?.[0]}`,
          next: `\`pulumi refresh\`, then ${next}`,
          plugins,
        };
      }),
      [CONFLICT]: {
        happened: "the policy is read and written again; the other binding stays",
        seen: "nothing",
        next: `the same ${next}`,
        plugins,
      },
      [DISABLED]: {
        happened: "nothing is changed; the images stay",
        seen: seenIn(disabled, /is disabled|Error 403/),
        next: `enable it, \`pulumi refresh\`, then ${next}`,
        plugins,
      },
    };
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

import { nativeBuild } from "../support/native-build.ts";
import { beforeAll, describe, expect, test } from "vitest";
import { bindings, grant, POLICIES, policyOf, PROJECT } from "../support/google.ts";
import { failed, passed } from "../support/outcome.ts";
import { type Sandbox, succeed } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const READER = "roles/artifactregistry.reader";
/** Has a grant from outside the stack. */
const OTHERS = "user:eve@partner.example";
const EXCEPTION = `${POLICIES}/iam.allowedPolicyMemberDomains`;
const REFUSED_BY_GOOGLE = "do not belong to a permitted customer";
const ALTERNATIVES = [
  "npm run pulumi -- config set hyperion-registry:overrideDomainRestrictedSharing true",
  "name the readers of your domain: npm run pulumi -- config set --path 'hyperion-registry:readers[0]' domain:example.com",
  "stay private: npm run pulumi -- config set hyperion-registry:publicAccess false",
];

const sandbox = useSandbox();
let probe: string;

beforeAll(async () => {
  // An image that no stack manages, to pull and push without a build.
  probe = `${sandbox.registry}/probe:latest`;
  await sandbox.docker("tag", `${sandbox.registry}/hyperion-ui:${nativeBuild}`, probe);
  passed(await sandbox.docker("push", probe));
  await sandbox.set({ publishImages: "false" });
  await sandbox.up();
});

const pull = () => sandbox.anonymousDocker("pull", probe);

/** Sets the organization policy. A delay also applies to later changes of a policy. */
const orgPolicy = (...words: string[]) => succeed(sandbox.root, "org-policy", ...words);
const fault = (...words: string[]) => succeed(sandbox.root, "fault", ...words);

/** Runs `docker` as a principal. */
const dockerAs = (principal: string, ...args: string[]) =>
  sandbox.command("docker", args, { HYPERION_SANDBOX_PRINCIPAL: principal });

/** The sandbox with the token of a principal. */
async function as(principal: string): Promise<Sandbox> {
  const { stdout } = await sandbox.run("token", principal);
  return sandbox.with({ GOOGLE_OAUTH_ACCESS_TOKEN: stdout.trim() });
}

/** The readers of the repository. */
async function readers(): Promise<string[]> {
  return (await bindings(sandbox)).flatMap(({ role, members }) => (role === READER ? members : []));
}

/** Everything that public access could change: the repository's policy, the exception, and the state. */
async function everything(): Promise<object> {
  // Decrypted, because each export encrypts differently.
  const state = JSON.parse(await sandbox.pulumi("stack", "export", "--show-secrets")) as {
    deployment: { resources: { urn: string }[] };
  };
  return {
    policy: await policyOf(sandbox),
    exception: (await sandbox.google("GET", EXCEPTION)).status,
    // A failed up can change the order.
    resources: state.deployment.resources.sort((a, b) => a.urn.localeCompare(b.urn)),
  };
}

async function expectPullDenied(): Promise<void> {
  expect((await pull()).output).toContain(
    'Permission "artifactregistry.repositories.downloadArtifacts" denied',
  );
}

/** Expects preview and up to fail with all of these texts, and to change nothing. */
async function expectRefused(...texts: string[]): Promise<void> {
  const before = await everything();
  for (const words of [["preview"], ["up", "--yes", "--skip-preview"]]) {
    const output = failed(await sandbox.tryPulumi(...words));
    for (const text of texts) expect(output).toContain(text);
  }
  expect(await everything()).toEqual(before);
}

describe("public access under a policy that refuses it", () => {
  test("A1: preview and up stop with the alternatives, and change nothing", async () => {
    await orgPolicy("deny");
    await sandbox.set({ publicAccess: "true" });
    await expectRefused(
      "constraints/iam.allowedPolicyMemberDomains",
      "allUsers would be refused by the organization policy",
      "members of C0hyperion",
      ...ALTERNATIVES,
    );
    await expectPullDenied();
  });

  test("A1: a preview stops at the managed constraint, which the stack's exception does not lift", async () => {
    await orgPolicy("allow");
    await orgPolicy("deny", "--constraint", "iam.managed.allowedPolicyMembers");
    await sandbox.set({ overrideDomainRestrictedSharing: "true" });
    const output = failed(await sandbox.tryPulumi("preview"));
    expect(output).toContain("constraints/iam.managed.allowedPolicyMembers");
    expect(output).toContain("ask an organization policy administrator for an exception on this project");
    expect(output).not.toContain(ALTERNATIVES[0]);
    await sandbox.unset("overrideDomainRestrictedSharing");
    await orgPolicy("allow", "--constraint", "iam.managed.allowedPolicyMembers");
  });

  test("A2: the same settings work after the policy is lifted", async () => {
    await sandbox.up();
    expect(await readers()).toContain("allUsers");
    passed(await pull());
  });

  test("A2: after the policy returns, pulls still work, refresh finds nothing, and up stops", async () => {
    await orgPolicy("deny");
    await sandbox.pulumi("refresh", "--yes", "--expect-no-changes");
    expect(failed(await sandbox.tryUp())).toContain("allUsers would be refused by the organization policy");
    // The constraint is not retroactive: existing bindings stay.
    passed(await pull());
    await sandbox.set({ publicAccess: "false" });
    await sandbox.up();
    expect(await readers()).not.toContain("allUsers");
    await expectPullDenied();
  });
});

describe("public access by an exception", () => {
  test("A2: is created before the binding, with a warning about its other effects", async () => {
    await sandbox.set({
      publicAccess: "true",
      overrideDomainRestrictedSharing: "true",
      "readers[0]": "allAuthenticatedUsers",
    });
    const output = await sandbox.up();
    expect(output).toContain("lifts iam.allowedPolicyMemberDomains on the whole project hyperion-sandbox");
    const created = [
      ...output.matchAll(/gcp:(orgpolicy:Policy|artifactregistry:RepositoryIamMember) .*created/g),
    ];
    expect(created.map(([, type]) => type)).toEqual([
      "orgpolicy:Policy",
      "artifactregistry:RepositoryIamMember",
      "artifactregistry:RepositoryIamMember",
    ]);
    expect(await sandbox.google("GET", EXCEPTION)).toMatchObject({
      status: 200,
      body: { spec: { rules: [{ allowAll: true }] } },
    });
    expect(await readers()).toEqual(expect.arrayContaining(["allUsers", "allAuthenticatedUsers"]));
    passed(await pull());
    await sandbox.expectNoChanges();
  });

  test("A1, A10: is removed together with the binding, and nothing else is", async () => {
    await sandbox.unset("readers");
    await sandbox.up();
    await grant(sandbox, READER, OTHERS);
    const before = await readers();
    await sandbox.set({ publicAccess: "false" });
    await sandbox.unset("overrideDomainRestrictedSharing");
    const output = await sandbox.up();
    const deleted = [...output.matchAll(/gcp:(\S+) .*deleted/g)].map(([, type]) => type);
    expect(deleted.sort()).toEqual([
      "artifactregistry:RepositoryIamMember",
      "orgpolicy:Policy",
      "projects:Service",
    ]);
    expect((await readers()).sort()).toEqual(before.filter((member) => member !== "allUsers").sort());
    expect(await sandbox.google("GET", EXCEPTION)).toMatchObject({ status: 404 });
    await expectPullDenied();
  });

  test("A2: that still propagates: up reports when to run it again, and then succeeds", async () => {
    const delay = 1200;
    await orgPolicy("deny", "--delay", String(delay));
    await sandbox.set({ publicAccess: "true", overrideDomainRestrictedSharing: "true" });
    const output = failed(await sandbox.tryUp());
    expect(output).toContain(REFUSED_BY_GOOGLE);
    expect(output).toContain("run this again in five minutes: npm run pulumi -- up");
    expect(await sandbox.google("GET", EXCEPTION)).toMatchObject({ status: 200 });
    expect(await readers()).not.toContain("allUsers");
    // Advances Google's clock instead of waiting. Tokens are valid for an hour, which is longer.
    await fault("set", "clock-skew", `seconds=${delay}`);
    await sandbox.up();
    await fault("clear");
    expect(await readers()).toContain("allUsers");
    await orgPolicy("deny");
    await sandbox.set({ publicAccess: "false" });
    await sandbox.unset("overrideDomainRestrictedSharing");
    await sandbox.up();
  });
});

describe("a policy that cannot be read", () => {
  const OPERATOR = "user:operator@example.com";
  const UNREAD =
    "Could not read the organization policy iam.allowedPolicyMemberDomains (Google answered 403)";

  test("A2: causes a warning, and up tries the binding", async () => {
    for (const role of [
      "roles/artifactregistry.admin",
      "roles/serviceusage.serviceUsageAdmin",
      "roles/iam.serviceAccountAdmin",
      "roles/browser",
    ])
      await grant(sandbox, role, OPERATOR, PROJECT);
    await orgPolicy("deny");
    await sandbox.set({ publicAccess: "true" });
    const operator = await as(OPERATOR);
    expect(passed(await operator.tryPulumi("preview"))).toContain(UNREAD);
    const refused = failed(await operator.tryUp());
    expect(refused).toContain(UNREAD);
    expect(refused).toContain(REFUSED_BY_GOOGLE);
    await orgPolicy("allow");
    passed(await operator.tryUp());
    passed(await pull());
    await sandbox.set({ publicAccess: "false" });
    await sandbox.up();
  });
});

describe("readers and writers", () => {
  test("A3, A4, A10: a reader pulls and cannot push; a writer does both; a stranger does neither", async () => {
    const [reader, writer, stranger] = ["dana", "lee", "mallory"].map(
      (name) => `user:${name}@example.com`,
    ) as [string, string, string];
    await sandbox.set({ "readers[0]": reader, "writers[0]": writer });
    await sandbox.up();
    // The grant from outside the stack stays.
    expect(await readers()).toEqual(expect.arrayContaining([reader, OTHERS]));
    const denied = (permission: string) => `Permission "artifactregistry.repositories.${permission}" denied`;
    // An engine can ask for permission to read first.
    const neither = /Permission "artifactregistry\.repositories\.(upload|download)Artifacts" denied/;
    passed(await dockerAs(reader, "pull", probe));
    expect((await dockerAs(reader, "push", probe)).output).toContain(denied("uploadArtifacts"));
    passed(await dockerAs(writer, "pull", probe));
    passed(await dockerAs(writer, "push", probe));
    expect((await dockerAs(stranger, "pull", probe)).output).toContain(denied("downloadArtifacts"));
    expect((await dockerAs(stranger, "push", probe)).output).toMatch(neither);
    expect(JSON.parse(await sandbox.pulumi("stack", "output", "--json"))).toMatchObject({
      readers: expect.arrayContaining([reader]) as string[],
      writers: expect.arrayContaining([writer]) as string[],
    });
    await sandbox.unset("writers");
    await sandbox.up();
    expect((await dockerAs(writer, "push", probe)).output).toMatch(neither);
    passed(await dockerAs(reader, "pull", probe));
    await sandbox.unset("readers");
    await sandbox.up();
    expect(await readers()).toContain(OTHERS);
    expect(await readers()).not.toContain(reader);
  });
});

import { beforeAll, describe, expect, test } from "vitest";
import { type Outcome, succeed } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const PROJECT = "projects/hyperion-sandbox";
const REPOSITORY = `v1/${PROJECT}/locations/us-central1/repositories/hyperion-public`;
const EXCEPTION = `v2/${PROJECT}/policies/iam.allowedPolicyMemberDomains`;
const REFUSED_BY_GOOGLE = "do not belong to a permitted customer";
const WAYS_OUT = [
  "pulumi config set hyperion-registry:overrideDomainRestrictedSharing true",
  "name the readers of your domain: pulumi config set --path 'hyperion-registry:readers[0]' domain:example.com",
  "stay private: pulumi config set hyperion-registry:publicAccess false",
];

const sandbox = useSandbox();
let probe: string;

beforeAll(async () => {
  const registry = await sandbox.output("registryUrl");
  // An image that no stack manages, so that no up has to build: what is pulled and pushed below.
  probe = `${registry}/probe:latest`;
  await sandbox.docker("tag", `${registry}/hyperion-ui:latest`, probe);
  expect(await sandbox.docker("push", probe)).toMatchObject({ code: 0 });
  await set("publishImages", "false");
  await up();
});

const set = (name: string, value: string) => sandbox.pulumi("config", "set", "--path", name, value);
const unset = (name: string) => sandbox.pulumi("config", "rm", name);
const up = () => sandbox.pulumi("up", "--yes", "--skip-preview");
const tryUp = () => sandbox.tryPulumi("up", "--yes", "--skip-preview");
const pull = () => sandbox.anonymousDocker("pull", probe);

/** Sets the organization's policy; a delay counts for every later change of a policy, too. */
const orgPolicy = (...words: string[]) => succeed(sandbox.root, "org-policy", ...words);
const fault = (...words: string[]) => succeed(sandbox.root, "fault", ...words);

/** `docker` of a principal. */
const dockerAs = (principal: string, ...args: string[]) =>
  sandbox.command("docker", args, { HYPERION_SANDBOX_PRINCIPAL: principal });

/** `pulumi` of a principal. */
async function pulumiAs(principal: string, ...args: string[]): Promise<Outcome> {
  const { stdout } = await sandbox.run("token", principal);
  return sandbox.command("pulumi", args, { GOOGLE_OAUTH_ACCESS_TOKEN: stdout.trim() });
}

interface Policy {
  bindings?: { role: string; members: string[] }[];
  etag?: string;
}

async function policyOf(resource: string, method = "GET"): Promise<Policy> {
  const { status, body } = await sandbox.google(
    method,
    `${resource}:getIamPolicy`,
    method === "GET" ? undefined : {},
  );
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as Policy;
}

/** Grants a role behind the stack's back. */
async function grant(resource: string, role: string, member: string, method = "GET"): Promise<void> {
  const { bindings = [], ...rest } = await policyOf(resource, method);
  const policy = { ...rest, bindings: [...bindings, { role, members: [member] }] };
  const answer = await sandbox.google("POST", `${resource}:setIamPolicy`, { policy });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}

/** Members of the repository who may pull. */
async function readers(): Promise<string[]> {
  const { bindings = [] } = await policyOf(REPOSITORY);
  return bindings.find(({ role }) => role === "roles/artifactregistry.reader")?.members ?? [];
}

/** Everything that public access could change: the repository's policy, the exception, and the state. */
async function everything(): Promise<object> {
  // Secrets in the clear: each export encrypts them anew.
  const state = JSON.parse(await sandbox.pulumi("stack", "export", "--show-secrets")) as {
    deployment: { resources: { urn: string }[] };
  };
  return {
    policy: await policyOf(REPOSITORY),
    exception: (await sandbox.google("GET", EXCEPTION)).status,
    // An up that fails may leave them in another order.
    resources: state.deployment.resources.sort((a, b) => a.urn.localeCompare(b.urn)),
  };
}

async function expectNobodyPulls(): Promise<void> {
  expect((await pull()).output).toContain(
    'Permission "artifactregistry.repositories.downloadArtifacts" denied',
  );
}

describe("public access under a policy that refuses it", () => {
  test("A1: before its API is enabled preview and up stop with the command for it, and nothing changes", async () => {
    const api = (action: string) =>
      sandbox.google("POST", `v1/${PROJECT}/services/orgpolicy.googleapis.com:${action}`, {});
    expect(await api("disable")).toMatchObject({ status: 200 });
    await orgPolicy("deny");
    const before = await everything();
    await set("publicAccess", "true");
    for (const words of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const { code, output } = await sandbox.tryPulumi(...words);
      expect(code, output).not.toBe(0);
      expect(output).toContain("the Organization Policy API is not enabled in hyperion-sandbox");
      expect(output).toContain("gcloud services enable orgpolicy.googleapis.com --project=hyperion-sandbox");
    }
    expect(await everything()).toEqual(before);
    expect(await api("enable")).toMatchObject({ status: 200 });
  });

  test("A1: preview and up stop with the ways out, and nothing changes", async () => {
    const before = await everything();
    for (const words of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const { code, output } = await sandbox.tryPulumi(...words);
      expect(code, output).not.toBe(0);
      expect(output).toContain("constraints/iam.allowedPolicyMemberDomains");
      expect(output).toContain("allUsers would be refused by the organization policy");
      expect(output).toContain("members of C0hyperion");
      for (const way of WAYS_OUT) expect(output).toContain(way);
    }
    expect(await everything()).toEqual(before);
    await expectNobodyPulls();
  });

  test("A1: a list of other customers refuses it too, and is named", async () => {
    await orgPolicy("domains", "C0hyperion", "C0partner");
    const { code, output } = await tryUp();
    expect(code, output).not.toBe(0);
    expect(output).toContain("members of C0hyperion, C0partner");
  });

  test("A1: so does the managed constraint, which no exception of the stack lifts", async () => {
    await orgPolicy("allow");
    await orgPolicy("deny", "--constraint", "iam.managed.allowedPolicyMembers");
    await set("overrideDomainRestrictedSharing", "true");
    const { code, output } = await sandbox.tryPulumi("preview");
    expect(code, output).not.toBe(0);
    expect(output).toContain("constraints/iam.managed.allowedPolicyMembers");
    expect(output).toContain("ask an organization policy administrator for an exception on this project");
    expect(output).not.toContain(WAYS_OUT[0]);
    await unset("overrideDomainRestrictedSharing");
    await orgPolicy("allow", "--constraint", "iam.managed.allowedPolicyMembers");
  });

  test("A2: lifted later, the same settings work", async () => {
    await up();
    expect(await readers()).toContain("allUsers");
    expect(await pull()).toMatchObject({ code: 0 });
  });

  test("A2: put back while public, pulls go on, refresh finds nothing, and up stops with the ways out", async () => {
    await orgPolicy("deny");
    await sandbox.pulumi("refresh", "--yes", "--expect-no-changes");
    const before = await everything();
    const { code, output } = await tryUp();
    expect(code, output).not.toBe(0);
    expect(output).toContain("allUsers would be refused by the organization policy");
    for (const way of WAYS_OUT) expect(output).toContain(way);
    expect(await everything()).toEqual(before);
    // The constraint does not look back: a binding that is there stays.
    expect(await pull()).toMatchObject({ code: 0 });
    await set("publicAccess", "false");
    await up();
    expect(await readers()).not.toContain("allUsers");
    await expectNobodyPulls();
  });
});

describe("public access by an exception", () => {
  test("A1: an exception without public access is an error", async () => {
    await set("publicAccess", "false");
    await set("overrideDomainRestrictedSharing", "true");
    const { code, output } = await sandbox.tryPulumi("preview");
    expect(code, output).not.toBe(0);
    expect(output).toContain("true, while publicAccess is false");
    expect(output).toContain("pulumi config rm hyperion-registry:overrideDomainRestrictedSharing");
  });

  test("A2: is made before the binding, with a warning of what else it opens", async () => {
    await set("publicAccess", "true");
    await set("readers[0]", "allAuthenticatedUsers");
    const output = await up();
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
    expect(await pull()).toMatchObject({ code: 0 });
    await sandbox.pulumi("preview", "--expect-no-changes");
  });

  test("A1, A10: turned off, it goes with the binding, and only those", async () => {
    await unset("readers");
    await up();
    await grant(REPOSITORY, "roles/artifactregistry.reader", "user:eve@partner.example");
    const before = await readers();
    await set("publicAccess", "false");
    await unset("overrideDomainRestrictedSharing");
    const output = await up();
    const deleted = [...output.matchAll(/gcp:(\S+) .*deleted/g)].map(([, type]) => type);
    expect(deleted.sort()).toEqual([
      "artifactregistry:RepositoryIamMember",
      "orgpolicy:Policy",
      "projects:Service",
    ]);
    expect((await readers()).sort()).toEqual(before.filter((member) => member !== "allUsers").sort());
    expect(await sandbox.google("GET", EXCEPTION)).toMatchObject({ status: 404 });
    await expectNobodyPulls();
  });

  test("A2: that still spreads: up says when to run again, and then it works", async () => {
    const delay = 1200;
    await orgPolicy("deny", "--delay", String(delay));
    await set("publicAccess", "true");
    await set("overrideDomainRestrictedSharing", "true");
    const { code, output } = await tryUp();
    expect(code, output).not.toBe(0);
    expect(output).toContain(REFUSED_BY_GOOGLE);
    expect(output).toContain("run pulumi up again in five minutes");
    expect(await sandbox.google("GET", EXCEPTION)).toMatchObject({ status: 200 });
    expect(await readers()).not.toContain("allUsers");
    // Google's clock goes on instead of this test's; tokens of an hour still serve.
    await fault("set", "clock-skew", `seconds=${delay}`);
    await up();
    await fault("clear");
    expect(await readers()).toContain("allUsers");
    await orgPolicy("deny");
    await set("publicAccess", "false");
    await unset("overrideDomainRestrictedSharing");
    await up();
  });
});

describe("a policy that cannot be read", () => {
  const OPERATOR = "user:operator@example.com";
  const UNREAD =
    "Could not read the organization policy iam.allowedPolicyMemberDomains (Google answered 403)";

  test("A2: is a warning, and the binding itself is the test", async () => {
    for (const role of [
      "roles/artifactregistry.admin",
      "roles/serviceusage.serviceUsageAdmin",
      "roles/iam.serviceAccountAdmin",
      "roles/browser",
    ])
      await grant(`v1/${PROJECT}`, role, OPERATOR, "POST");
    await orgPolicy("deny");
    await set("publicAccess", "true");
    const preview = await pulumiAs(OPERATOR, "preview");
    expect(preview.output).toContain(UNREAD);
    expect(preview).toMatchObject({ code: 0 });
    const refused = await pulumiAs(OPERATOR, "up", "--yes", "--skip-preview");
    expect(refused.output).toContain(UNREAD);
    expect(refused.output).toContain(REFUSED_BY_GOOGLE);
    expect(refused.code).not.toBe(0);
    await orgPolicy("allow");
    expect(await pulumiAs(OPERATOR, "up", "--yes", "--skip-preview")).toMatchObject({ code: 0 });
    expect(await pull()).toMatchObject({ code: 0 });
    await set("publicAccess", "false");
    await up();
  });
});

describe("readers and writers", () => {
  test("A3: allAuthenticatedUsers among readers is warned about, and refused under the policy", async () => {
    await orgPolicy("allow");
    await set("readers[0]", "allAuthenticatedUsers");
    const allowed = await sandbox.tryPulumi("preview");
    expect(allowed).toMatchObject({ code: 0 });
    expect(allowed.output).toContain(
      "anybody with a Google account can pull, which is public in all but name",
    );
    await orgPolicy("deny");
    const { code, output } = await sandbox.tryPulumi("preview");
    expect(code, output).not.toBe(0);
    expect(output).toContain("allAuthenticatedUsers would be refused by the organization policy");
    expect(output).toContain("readers[0]' domain:example.com");
    expect(output).toContain("pulumi config rm --path 'hyperion-registry:readers[0]'");
    // It comes with publicAccess alone.
    expect(output).not.toContain("overrideDomainRestrictedSharing");
    await unset("readers");
  });

  test("A3, A4: a reader pulls and cannot push; a writer does both; a stranger does neither", async () => {
    const [reader, writer, stranger] = ["dana", "lee", "mallory"].map(
      (name) => `user:${name}@example.com`,
    ) as [string, string, string];
    await set("readers[0]", reader);
    await set("writers[0]", writer);
    await up();
    const denied = (permission: string) => `Permission "artifactregistry.repositories.${permission}" denied`;
    expect(await dockerAs(reader, "pull", probe)).toMatchObject({ code: 0 });
    expect((await dockerAs(reader, "push", probe)).output).toContain(denied("uploadArtifacts"));
    expect(await dockerAs(writer, "pull", probe)).toMatchObject({ code: 0 });
    expect(await dockerAs(writer, "push", probe)).toMatchObject({ code: 0 });
    expect((await dockerAs(stranger, "pull", probe)).output).toContain(denied("downloadArtifacts"));
    expect((await dockerAs(stranger, "push", probe)).output).toContain(denied("uploadArtifacts"));
    expect(JSON.parse(await sandbox.pulumi("stack", "output", "--json"))).toMatchObject({
      readers: expect.arrayContaining([reader]) as string[],
      writers: expect.arrayContaining([writer]) as string[],
    });
    await unset("writers");
    await up();
    expect((await dockerAs(writer, "push", probe)).output).toContain(denied("uploadArtifacts"));
    expect(await dockerAs(reader, "pull", probe)).toMatchObject({ code: 0 });
  });
});

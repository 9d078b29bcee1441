import { expect } from "vitest";
import images from "../../images.json";
import type { PluginChoice } from "../../sandbox/plugins-serving";
import type { Sandbox } from "../sandbox/sandbox";

const PROJECT_ID = "hyperion-sandbox";
export const PROJECT = `v1/projects/${PROJECT_ID}`;
export const POOLS = `${PROJECT}/locations/global/workloadIdentityPools`;
export const REPOSITORIES = `${PROJECT}/locations/us-central1/repositories`;
export const REPOSITORY = `${REPOSITORIES}/hyperion-public`;

/** A resource in the stack's state. */
interface Resource {
  urn: string;
  type: string;
  outputs?: Record<string, unknown>;
}

interface Binding {
  role: string;
  members: string[];
}

/** Runs a pulumi command that mends, and tells what it did: "`pulumi up`: 3 created, 22 unchanged". */
export async function mend(sandbox: Sandbox, command: "up" | "refresh"): Promise<string> {
  const { code, output } = await sandbox.tryPulumi(command, "--yes", "--skip-preview");
  expect(code, output).toBe(0);
  const [, resources = ""] = output.split("\nResources:\n");
  const changes = [...resources.matchAll(/^ +(?:\S+ )?(\d+ \w+)$/gm)].map(([, change]) => change);
  return `\`pulumi ${command}\`: ${changes.join(", ")}`;
}

/** The bindings of a policy; by default that of the stack's repository. Service accounts are asked by POST. */
export async function bindings(
  sandbox: Sandbox,
  resource = REPOSITORY,
  method: "GET" | "POST" = "GET",
): Promise<Binding[]> {
  const { body } = await sandbox.google(
    method,
    `${resource}:getIamPolicy`,
    method === "POST" ? {} : undefined,
  );
  return (body as { bindings?: Binding[] }).bindings ?? [];
}

/**
 * Proves that the stack is as declared: a preview finds nothing to do, the state has no pending operation, what is at
 * Google is exactly what the state holds (no orphan, no duplicate), and every image is there with its tags on one digest.
 *
 * @param others bindings that somebody else made and that must still be there, as `ROLE MEMBER`.
 * @param imageTags tags that each published image has, sorted.
 */
export async function expectDeclared(
  sandbox: Sandbox,
  others: readonly string[] = [],
  imageTags: readonly string[] = ["build", "latest"],
): Promise<void> {
  await sandbox.pulumi("preview", "--expect-no-changes");
  const { deployment } = JSON.parse(await sandbox.pulumi("stack", "export")) as {
    deployment: { resources: Resource[]; pending_operations?: object[] };
  };
  expect(deployment.pending_operations ?? []).toEqual([]);
  const ofType = (type: string) => deployment.resources.filter((resource) => resource.type === type);
  const list = async (path: string, kind: string): Promise<Record<string, unknown>[]> => {
    const { body } = await sandbox.google("GET", path);
    return (body as Record<string, Record<string, unknown>[]>)[kind] ?? [];
  };

  expect((await list(REPOSITORIES, "repositories")).map(({ name }) => name)).toEqual(
    ofType("gcp:artifactregistry/repository:Repository").map(({ outputs }) => outputs?.["id"]),
  );
  expect((await list(`${PROJECT}/serviceAccounts`, "accounts")).map(({ email }) => email).sort()).toEqual(
    ofType("gcp:serviceaccount/account:Account")
      .map(({ outputs }) => outputs?.["email"])
      .sort(),
  );
  const declared = ofType("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember").map(
    ({ outputs }) => `${String(outputs?.["role"])} ${String(outputs?.["member"])}`,
  );
  const found = (await bindings(sandbox)).flatMap(({ role, members }) =>
    members.map((member) => `${role} ${member}`),
  );
  expect(found.sort()).toEqual([...declared, ...others].sort());

  for (const [path, kind, type] of [
    [POOLS, "workloadIdentityPools", "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"],
    [
      `${POOLS}/hyperion-github/providers`,
      "workloadIdentityPoolProviders",
      "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
    ],
    [`v2/projects/${PROJECT_ID}/policies`, "policies", "gcp:orgpolicy/policy:Policy"],
  ] as const)
    expect((await list(path, kind)).map(({ name }) => lastPart(name))).toEqual(
      ofType(type).map(({ outputs }) => lastPart(outputs?.["name"])),
    );
  const accounts = await list(`${PROJECT}/serviceAccounts`, "accounts");
  const actAs = await Promise.all(
    accounts.map(async ({ name }) =>
      (await bindings(sandbox, `v1/${String(name)}`, "POST")).flatMap(({ role, members }) =>
        members.map((member) => `${String(name)} ${role} ${member}`),
      ),
    ),
  );
  expect(actAs.flat().sort()).toEqual(
    ofType("gcp:serviceaccount/iAMMember:IAMMember")
      .map(({ outputs }) =>
        ["serviceAccountId", "role", "member"].map((key) => String(outputs?.[key])).join(" "),
      )
      .sort(),
  );

  const published = ofType("docker:index/image:Image").length > 0 ? images : [];
  const docker = published.length > 0 ? await list(`${REPOSITORY}/dockerImages`, "dockerImages") : [];
  for (const { name } of published) {
    const tagged = docker.filter(
      ({ uri, tags }) => String(uri).includes(`/${name}@`) && (tags as string[] | undefined)?.length,
    );
    expect(tagged.map(({ tags }) => (tags as string[]).sort())).toEqual([imageTags]);
  }
}

function lastPart(name: unknown): string | undefined {
  return String(name).split("/").at(-1);
}

/** The plugins that serve a sandbox: "gcp stand-in, docker stand-in". */
export async function pluginsOf(sandbox: Sandbox): Promise<string> {
  const { stdout } = await sandbox.run("status", "--json");
  const { plugins } = JSON.parse(stdout) as { plugins: PluginChoice[] };
  return plugins.map(({ name, kind }) => `${name} ${kind}`).join(", ");
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import images from "../../images.json" with { type: "json" };
import { bindings, POLICIES, POOLS, PROJECT, REPOSITORIES, REPOSITORY } from "../support/google.ts";
import type { Sandbox } from "../support/sandbox.ts";

interface Resource {
  type: string;
  outputs?: Record<string, unknown>;
}

interface State {
  resources: Resource[];
  pending_operations?: object[];
}

/** What differs from the stack's default, or is from outside the stack. */
export interface Extras {
  /** Bindings of the repository that must still exist, as `ROLE MEMBER`. */
  bindings?: readonly string[];
  /** The tags of each image's manifests, if the stack does not have its default platforms. */
  tags?: readonly string[];
}

/** On the index, and on the image of each platform. */
const TAGS = ["build, latest", "build-amd64", "build-arm64"];

/**
 * Expects the declared state: a preview without changes, no pending operation, exactly the resources of the state at Google
 * (no orphan, no duplicate), and the tags of every image.
 */
export async function expectDeclared(sandbox: Sandbox, extras: Extras = {}): Promise<void> {
  await sandbox.expectNoChanges();
  const state = await readState(sandbox);
  expect(state.pending_operations ?? []).toEqual([]);
  await expectResources(sandbox, state);
  await expectBindings(sandbox, state, extras.bindings ?? []);
  if (outputsOf(state, "docker:index/image:Image").length > 0)
    await expectImages(sandbox, extras.tags ?? TAGS);
}

/** The state, from the file that the engine writes: faster than `pulumi stack export`. */
async function readState({ root }: Sandbox): Promise<State> {
  const file = join(sandboxPaths(root).stacks, "sandbox.json");
  const { checkpoint } = JSON.parse(await readFile(file, "utf8")) as { checkpoint: { latest: State } };
  return checkpoint.latest;
}

/** Expects at Google the repositories, service accounts, pools, providers and policies that the state names. */
async function expectResources(sandbox: Sandbox, state: State): Promise<void> {
  for (const [path, kind, type] of [
    [REPOSITORIES, "repositories", "gcp:artifactregistry/repository:Repository"],
    [`${PROJECT}/serviceAccounts`, "accounts", "gcp:serviceaccount/account:Account"],
    [POOLS, "workloadIdentityPools", "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"],
    [
      `${POOLS}/hyperion-github/providers`,
      "workloadIdentityPoolProviders",
      "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
    ],
    [POLICIES, "policies", "gcp:orgpolicy/policy:Policy"],
  ] as const) {
    const found = (await list(sandbox, path, kind)).map(({ name }) => lastPart(name));
    expect(found.sort()).toEqual(
      outputsOf(state, type)
        .map(({ name }) => lastPart(name))
        .sort(),
    );
  }
}

/** Expects the grants of the state on the repository and on the service accounts. */
async function expectBindings(sandbox: Sandbox, state: State, others: readonly string[]): Promise<void> {
  const onRepository = outputsOf(state, "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember");
  expect((await grants(sandbox, REPOSITORY)).sort()).toEqual(
    [...onRepository.map(({ role, member }) => `${String(role)} ${String(member)}`), ...others].sort(),
  );

  const onAccounts = outputsOf(state, "gcp:serviceaccount/iAMMember:IAMMember");
  const accounts = await list(sandbox, `${PROJECT}/serviceAccounts`, "accounts");
  const found = await Promise.all(
    accounts.map(async ({ name }) =>
      (await grants(sandbox, `v1/${String(name)}`)).map((grant) => `${String(name)} ${grant}`),
    ),
  );
  expect(found.flat().sort()).toEqual(
    onAccounts
      .map(({ serviceAccountId, role, member }) => [serviceAccountId, role, member].map(String).join(" "))
      .sort(),
  );
}

/** Expects the tags of each image's manifests. */
async function expectImages(sandbox: Sandbox, tags: readonly string[]): Promise<void> {
  const found = await list(sandbox, `${REPOSITORY}/dockerImages`, "dockerImages");
  for (const { name } of images) {
    const tagged = found.filter(
      (image) =>
        String(image["uri"]).includes(`/${name}@`) && (image["tags"] as string[] | undefined)?.length,
    );
    expect(tagged.map((image) => (image["tags"] as string[]).sort().join(", ")).sort()).toEqual(tags);
  }
}

function outputsOf(state: State, type: string): Record<string, unknown>[] {
  return state.resources.filter((resource) => resource.type === type).map(({ outputs }) => outputs ?? {});
}

/** Lists resources; empty if their parent does not exist. */
async function list(sandbox: Sandbox, path: string, kind: string): Promise<Record<string, unknown>[]> {
  const { status, body } = await sandbox.google("GET", path);
  expect(status).not.toBe(501);
  return (body as Record<string, Record<string, unknown>[]>)[kind] ?? [];
}

/** The grants of a policy, as `ROLE MEMBER`. */
async function grants(sandbox: Sandbox, resource: string): Promise<string[]> {
  return (await bindings(sandbox, resource)).flatMap(({ role, members }) =>
    members.map((member) => `${role} ${member}`),
  );
}

function lastPart(name: unknown): string | undefined {
  return String(name).split("/").at(-1);
}

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { BUILD_TAG } from "../../components/images/tags/names.ts";
import { readPreview } from "../../scripts/ci/preview.ts";
import { google, POOLS, PROJECT, published, REPOSITORY } from "../support/google.ts";
import { initImagesStack } from "../support/images-stack.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

// A state that an earlier program made: its resources, put at the addresses, digests and times of a sandbox, so that
// this program meets what people have.

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

interface Resource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, Value>;
  outputs?: Record<string, Value>;
}

interface Exported {
  version: number;
  deployment: { resources: Resource[]; secrets_providers?: unknown };
}

/** The settings with which the state was made. */
const SETTINGS = {
  githubRepository: "HyperionWave-AI/dev-squad",
  githubRepositoryId: "123456",
  githubOwnerId: "654321",
  ciCanPublish: "true",
  "readers[0]": "group:devs@example.com",
  "writers[0]": "user:dana@example.com",
  publicAccess: "true",
  version: "1.4.2",
};

/** What differs between two sandboxes for the same program: addresses, digests, times, numbers, files; no URN does. */
const OWN =
  /localhost:\d+|sha256:|^[0-9a-f]{64}$|^\d{4}-\d\d-\d\dT|^\d{21}$|docker\.sock$|^unix:|etag|^(?!urn:).*coordinator|^[\w+/]{8,}=*$/;

/** Names that a resource has had before. */
const FORMER: Record<string, string> = {
  "ci-github-credentials": "ci-credentials",
  "ci-github-sts": "ci-sts",
};

const nameOf = ({ urn }: Resource): string => urn.replace(/^.*::/, "");

const sandbox = useSandbox();

beforeAll(async () => {
  await sandbox.set(SETTINGS, "--stack", "sandbox");
  await sandbox.up("--stack", "sandbox");
});

/** A value of the earlier state; where it is a sandbox's own, that of this one. */
function transplant(earlier: Value | undefined, here: Value | undefined): Value | undefined {
  if (typeof earlier === "string") return OWN.test(earlier) && typeof here === "string" ? here : earlier;
  if (Array.isArray(earlier))
    return earlier.map((item, at) => transplant(item, Array.isArray(here) ? here[at] : undefined) ?? null);
  if (typeof earlier !== "object" || earlier === null) return earlier;
  const other = typeof here === "object" && here !== null && !Array.isArray(here) ? here : {};
  return Object.fromEntries(
    Object.entries(earlier).map(([key, value]) => [key, transplant(value, other[key]) ?? null]),
  );
}

async function exported(): Promise<Exported> {
  return JSON.parse(
    await sandbox.pulumi("stack", "export", "--show-secrets", "--stack", "sandbox"),
  ) as Exported;
}

/** Takes the stack's mark off what it made: earlier programs left none. */
async function unmark(): Promise<void> {
  const pool = `${POOLS}/hyperion-github`;
  for (const path of [REPOSITORY, pool, `${pool}/providers/github`])
    await google(sandbox, "PATCH", `${path}?updateMask=description`, {});
  for (const id of ["hyperion-ci", "hyperion-ci-preview"]) {
    const account = `${PROJECT}/serviceAccounts/${id}@hyperion-sandbox.iam.gserviceaccount.com`;
    const body = { serviceAccount: { description: "" }, updateMask: "description" };
    await google(sandbox, "PATCH", account, body);
  }
}

test("a state of version 0.1 is taken over with nothing replaced, deleted or made anew", async () => {
  const file = join(import.meta.dirname, "fixtures/state-0.1.json");
  const earlier = JSON.parse(await readFile(file, "utf8")) as Exported;
  // The second name of a version, which that version did not set and the registry has: it needs no resource.
  const later = /-v1\.4\.2$/;
  const here = await exported();
  here.deployment.resources = here.deployment.resources.filter((resource) => !later.test(nameOf(resource)));
  const find = (resource: Resource): Resource | undefined =>
    here.deployment.resources.find(
      (one) => one.type === resource.type && (FORMER[nameOf(one)] ?? nameOf(one)) === nameOf(resource),
    );
  const resources = earlier.deployment.resources.map((resource) => {
    const counterpart = find(resource);
    return {
      ...resource,
      ...(transplant(resource as unknown as Value, counterpart as unknown as Value) as object),
      urn: resource.urn,
    };
  });
  const state = join(sandbox.scratch, "earlier.json");
  await writeFile(state, JSON.stringify({ ...here, deployment: { ...here.deployment, resources } }));
  await sandbox.pulumi("stack", "import", "--stack", "sandbox", "--file", state);
  await unmark();

  const preview = readPreview(await sandbox.pulumi("preview", "--json", "--stack", "sandbox"));
  expect(preview.errors).toEqual([]);
  // The component that workload identity is now is the one thing that is new.
  const known = preview.changes.filter(({ type }) => type !== "hyperion:registry:WorkloadIdentity");
  expect(known.filter(({ operation }) => operation !== "update")).toEqual([]);
  const up = await sandbox.up("--stack", "sandbox");
  expect(up).not.toMatch(/replaced|deleted/);
  const identities = ({ deployment }: Exported) =>
    deployment.resources
      .filter(({ type }) => !type.startsWith("pulumi:providers:"))
      .map(({ type, id }) => [type, id])
      .sort();
  expect(identities(await exported())).toEqual(identities(here));
});

describe("from one stack to two, and back", () => {
  const typesOf = async (stack: string): Promise<string[]> => {
    const { deployment } = JSON.parse(await sandbox.pulumi("stack", "export", "--stack", stack)) as Exported;
    return deployment.resources.map(({ type }) => type);
  };
  /** But for `build`: an engine without its cache, on which another file has been, builds the second stack's anew. */
  const tags = () => published(sandbox, (tag) => tag !== BUILD_TAG);
  let before: Record<string, Record<string, string>>;

  test("images move to a stack of their own, and no tag in the registry", async () => {
    before = await tags();
    await initImagesStack(sandbox, { version: SETTINGS.version });
    await sandbox.up("--stack", "images");
    await sandbox.set({ publishImages: "false" }, "--stack", "sandbox");
    await sandbox.up("--stack", "sandbox");
    expect(await tags()).toEqual(before);
    expect((await typesOf("sandbox")).filter((type) => type.startsWith("docker:"))).toEqual([]);
    expect((await typesOf("images")).filter((type) => type.startsWith("gcp:"))).toEqual([]);
    for (const stack of ["sandbox", "images"]) await sandbox.expectNoChanges("--stack", stack);
  });

  test("and back", async () => {
    await sandbox.unset("publishImages", "--stack", "sandbox");
    await sandbox.up("--stack", "sandbox");
    await sandbox.pulumi("destroy", "--yes", "--skip-preview", "--stack", "images");
    await sandbox.pulumi("stack", "rm", "images", "--yes");
    expect(await tags()).toEqual(before);
    await sandbox.expectNoChanges("--stack", "sandbox");
  });
});

import { beforeEach, describe, expect, test, vi } from "vitest";
import { readContent } from "./content.ts";
import { GB, monthlyStorageCost } from "./cost.ts";
import { noAnswerText, refusalText } from "./error-text.ts";
import { reportText } from "./text.ts";
import { useShell } from "../../test/support/shell.ts";
import { fakeGoogle, refuseConnections } from "../../test/support/fake-google.ts";

const PLACE = { project: "p", location: "us-central1", repositoryId: "r" };
const NAME = "projects/p/locations/us-central1/repositories/r";
const URL = "us-central1-docker.pkg.dev/p/r";
const NOW = new Date("2026-11-24T12:00:00Z");

const image = (letter: string, day: string, ...tags: string[]) => ({
  uri: `${URL}/hyperion-ui@sha256:${letter.repeat(64)}`,
  ...(tags.length > 0 && { tags }),
  imageSizeBytes: String(300 * 2 ** 20),
  uploadTime: `2026-11-${day}T12:00:00.000000Z`,
});

const pageOf = (token: string) => `GET /${NAME}/dockerImages?pageSize=1000&pageToken=${token}`;

const read = (repository: object, ...pages: object[][]) =>
  readWith({ status: 200, body: { etag: "ACAB" } }, repository, ...pages);

async function readWith(policy: { status: number; body?: object }, repository: object, ...pages: object[][]) {
  const answers = pages.map((dockerImages, index) => [
    pageOf(index === 0 ? "" : `page${index}`),
    {
      status: 200,
      body: { dockerImages, ...(index + 1 < pages.length && { nextPageToken: `page${index + 1}` }) },
    },
  ]);
  await fakeGoogle({
    [`GET /${NAME}`]: { status: 200, body: { registryUri: URL, ...repository } },
    [`GET /${NAME}:getIamPolicy`]: policy,
    ...(Object.fromEntries(answers) as Record<string, { status: number; body: object }>),
  });
  return readContent(PLACE, "dev");
}

beforeEach(() => vi.stubEnv("GOOGLE_OAUTH_ACCESS_TOKEN", "token"));

test("versions of all pages are sorted, the latest upload of an image first", async () => {
  const content = await read({ sizeBytes: "42" }, [image("a", "01")], [image("b", "03", "latest", "1.0")]);
  expect(content).toMatchObject({ url: URL, storedBytes: 42, policies: {}, dryRun: false });
  expect(content.versions.map(({ digest, tags }) => [digest.slice(7, 8), tags])).toEqual([
    ["b", ["latest", "1.0"]],
    ["a", []],
  ]);
});

test("the report", async () => {
  const child = (letter: string, architecture: string) => ({
    digest: `sha256:${letter.repeat(64)}`,
    os: "linux",
    architecture,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
  });
  const imageManifests = [child("b", "amd64"), { ...child("c", "arm64"), variant: "v8" }];
  const untagged = { action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "86400s" } };
  const content = await read({ sizeBytes: String(1.5 * GB), cleanupPolicies: { untagged } }, [
    { ...image("a", "24", "latest"), imageManifests },
    image("b", "04"),
  ]);
  const text = reportText({ ...content, deletes: content.versions.slice(1) }, NOW);
  expect(text.split("\n")).toEqual([
    `${URL}: 2 versions of 1 image`,
    "┌─────────────┬────────┬─────────────────────┬─────────────────┬─────────┬─────────┐",
    "│ image       │ tags   │ digest              │ platforms       │ size    │ age     │",
    "├─────────────┼────────┼─────────────────────┼─────────────────┼─────────┼─────────┤",
    "│ hyperion-ui │ latest │ sha256:aaaaaaaaaaaa │ amd64, arm64/v8 │ 300 MiB │ 0 h     │",
    "├─────────────┼────────┼─────────────────────┼─────────────────┼─────────┼─────────┤",
    "│ hyperion-ui │ (none) │ sha256:bbbbbbbbbbbb │ amd64           │ 300 MiB │ 20 days │",
    "└─────────────┴────────┴─────────────────────┴─────────────────┴─────────┴─────────┘",
    "",
    "Stored    1.5 GiB, with each shared layer counted once",
    "Cost      about $0.10 a month to keep: $0.10 per GB above the free 0.5 GB (2^30 bytes) of the billing account",
    "          Pulls are billed separately: free to Google Cloud in the same region, about $0.12 per GB to the internet (docs/COST.md)",
    "Cleanup   untagged: deletes untagged versions older than 1 day, unless another policy keeps them",
    "          deletes, within a day, 1 version, at most 300 MiB:",
    `            hyperion-ui@sha256:${"b".repeat(64)}`,
    "Public    no: a pull needs a login",
  ]);
});

test.each<[string, { status: number; body?: object }, string]>([
  [
    "everyone",
    {
      status: 200,
      body: {
        bindings: [
          { role: "roles/artifactregistry.writer", members: ["user:dana@example.com"] },
          { role: "roles/artifactregistry.reader", members: ["allUsers", "group:devs@example.com"] },
        ],
      },
    },
    "Public    yes: allUsers has roles/artifactregistry.reader",
  ],
  ["no one", { status: 200, body: { etag: "ACAB" } }, "Public    no: a pull needs a login"],
  [
    "an unknown group, without permission to read the policy",
    { status: 403 },
    "Public    unknown: this needs artifactregistry.repositories.getIamPolicy",
  ],
])("public for %s", async (_, policy, line) => {
  const content = await readWith(policy, {}, [image("a", "24", "latest")]);
  expect(reportText({ ...content, deletes: [] }, NOW).split("\n")).toContain(line);
});

test.each([
  [0, 0],
  [0.5 * GB, 0],
  [1.5 * GB, 0.1],
  [50.5 * GB, 5],
])("%d bytes cost $%d a month", (bytes, dollars) => {
  expect(monthlyStorageCost(bytes)).toBeCloseTo(dollars, 10);
});

test.each<[string, object, number, string[]]>([
  ["without a policy", {}, 0, ["Cleanup   no policy: nothing is ever deleted"]],
  [
    "with nothing to delete",
    { cleanupPolicies: { recent: { action: "KEEP", mostRecentVersions: { keepCount: 10 } } } },
    0,
    ["Cleanup   recent: keeps the 10 most recent versions of each image", "          nothing to delete now"],
  ],
  [
    "while it only logs",
    { cleanupPolicyDryRun: true, cleanupPolicies: { all: { action: "DELETE", condition: {} } } },
    1,
    [
      "Cleanup   cleanupDryRun is on: nothing is deleted, only logged",
      "          all: deletes all versions, unless another policy keeps them",
      "          would delete 1 version, at most 300 MiB:",
      `            hyperion-ui@sha256:${"a".repeat(64)}`,
    ],
  ],
])("cleanup %s", async (_, repository, deleted, expected) => {
  const content = await read(repository, [image("a", "24", "latest")]);
  const lines = reportText({ ...content, deletes: content.versions.slice(0, deleted) }, NOW).split("\n");
  const [from, to] = ["Cleanup", "Public"].map((head) => lines.findIndex((line) => line.startsWith(head)));
  expect(lines.slice(from, to)).toEqual(expected);
});

describe("a repository that cannot be read", () => {
  const shell = useShell();

  test("without a login is reported in one sentence, and nothing else is printed", () => {
    expect(shell.run("scripts/report/main.ts")).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "The repository hyperion-public of project production-471918 cannot be read without a login at Google: " +
        "gcloud auth application-default login\n",
    });
  });

  const WHERE = "The repository r of project p cannot be read";
  const EXPIRED = `${WHERE}: the login at Google has expired. Log in: gcloud auth application-default login`;

  test.each<[number, object, string]>([
    [
      403,
      { error: { details: [{ reason: "SERVICE_DISABLED" }] } },
      `${WHERE}: the Artifact Registry API is not enabled. Enable it: gcloud services enable artifactregistry.googleapis.com --project=p`,
    ],
    [
      401,
      {},
      `${WHERE}: the token in GOOGLE_OAUTH_ACCESS_TOKEN has expired, or is none. Take a new one: export GOOGLE_OAUTH_ACCESS_TOKEN="$(gcloud auth print-access-token)"`,
    ],
    [
      403,
      { error: { message: "Permission denied" } },
      `${WHERE}: Google answered 403 (Permission denied). It takes roles/artifactregistry.reader on the repository, which its owner grants: gcloud artifacts repositories add-iam-policy-binding r --project=p --location=us-central1 --member=user:EMAIL --role=roles/artifactregistry.reader`,
    ],
    [
      404,
      {},
      `${WHERE}: there is none in us-central1. Provision it: npm run pulumi -- up --stack dev; or name another stack: npm run report -- --stack NAME`,
    ],
    [418, {}, `${WHERE}: Google answered 418. Run it again: npm run report`],
  ])("with the answer %d %j", async (status, body, text) => {
    await fakeGoogle({ [`GET /${NAME}`]: { status, body } });
    await expect(readContent(PLACE, "dev")).rejects.toThrow(text);
  });

  test("with an expired login", () => {
    vi.stubEnv("GOOGLE_OAUTH_ACCESS_TOKEN", "");
    expect(refusalText({ status: 401, body: {} }, PLACE, "dev")).toBe(EXPIRED);
    expect(noAnswerText(new Error("invalid_grant"), PLACE)).toBe(EXPIRED);
  });

  test("without an answer", async () => {
    refuseConnections();
    await expect(readContent(PLACE, "dev")).rejects.toThrow(
      `${WHERE}: fetch failed. Run it again: npm run report`,
    );
  });
});

import { OAuth2Client } from "google-auth-library";
import { describe, expect, test } from "vitest";
import { readContent } from "../../../../scripts/lib/report/content";
import { GB, monthlyStorageCost } from "../../../../scripts/lib/report/cost";
import { refusalText } from "../../../../scripts/lib/report/refusal";
import { reportText } from "../../../../scripts/lib/report/text";
import { fakeGoogle } from "../../fakeGoogle";

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

async function read(repository: object, ...pages: object[][]) {
  const answers = pages.map((dockerImages, index) => [
    pageOf(index === 0 ? "" : `page${index}`),
    {
      status: 200,
      body: { dockerImages, ...(index + 1 < pages.length && { nextPageToken: `page${index + 1}` }) },
    },
  ]);
  await fakeGoogle({
    [`GET /${NAME}`]: { status: 200, body: { registryUri: URL, ...repository } },
    ...(Object.fromEntries(answers) as Record<string, { status: number; body: object }>),
  });
  const client = new OAuth2Client();
  client.setCredentials({ access_token: "token" });
  return readContent(client, process.env["GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT"] ?? "", NAME);
}

test("all pages are read, the latest upload of an image first", async () => {
  const content = await read({ sizeBytes: "42" }, [image("a", "01")], [image("b", "03", "latest", "1.0")]);
  expect(content).toMatchObject({ url: URL, storedBytes: 42, policies: [], dryRun: false });
  expect(content.versions.map(({ digest, tags }) => [digest.slice(7, 8), tags])).toEqual([
    ["b", ["latest", "1.0"]],
    ["a", []],
  ]);
});

test("the report", async () => {
  const untagged = { action: "DELETE", condition: { tagState: "UNTAGGED", olderThan: "86400s" } };
  const content = await read({ sizeBytes: String(1.5 * GB), cleanupPolicies: { untagged } }, [
    image("a", "24", "latest"),
    image("b", "04"),
  ]);
  const text = reportText({ ...content, deletes: content.versions.slice(1) }, NOW);
  expect(text.split("\n")).toEqual([
    `${URL}: 2 versions of 1 image`,
    "┌─────────────┬────────┬─────────────────────┬──────────┬─────────┐",
    "│ image       │ tags   │ digest              │ size     │ age     │",
    "├─────────────┼────────┼─────────────────────┼──────────┼─────────┤",
    "│ hyperion-ui │ latest │ sha256:aaaaaaaaaaaa │ 300.0 MB │ 0 h     │",
    "├─────────────┼────────┼─────────────────────┼──────────┼─────────┤",
    "│ hyperion-ui │ (none) │ sha256:bbbbbbbbbbbb │ 300.0 MB │ 20 days │",
    "└─────────────┴────────┴─────────────────────┴──────────┴─────────┘",
    "",
    "Stored    1.50 GB, layers that versions share counted once",
    "Cost      about $0.10 a month to keep: $0.10 per GB above the free 0.5 GB of the billing account",
    "          Pulls cost apart: nothing to Google Cloud in the same region, about $0.12 per GB to the internet (docs/COST.md)",
    "Cleanup   deletes, within a day, 1 version, at most 300.0 MB:",
    `            hyperion-ui@sha256:${"b".repeat(64)}`,
  ]);
});

test.each([
  [0, 0],
  [0.5 * GB, 0],
  [1.5 * GB, 0.1],
  [50.5 * GB, 5],
])("%d bytes cost $%d a month", (bytes, dollars) => {
  expect(monthlyStorageCost(bytes)).toBeCloseTo(dollars, 10);
});

describe("a repository that cannot be read", () => {
  const refused = (status: number, data: unknown = {}, message = `status ${status}`) =>
    refusalText(Object.assign(new Error(message), { status, response: { status, data } }), "p", "r");
  const WHERE = "The repository r of project p";

  test.each([
    [
      refused(403, { error: { details: [{ reason: "SERVICE_DISABLED" }] } }),
      `${WHERE} cannot be read: the Artifact Registry API is not enabled. Enable it: gcloud services enable artifactregistry.googleapis.com --project=p`,
    ],
    [
      refused(401),
      `${WHERE} cannot be read: the login at Google has expired. Log in: gcloud auth application-default login`,
    ],
    [
      refused(403, {}, "Permission denied."),
      `${WHERE} cannot be read: Permission denied. It takes roles/artifactregistry.reader on the repository.`,
    ],
    [
      refused(404),
      `${WHERE} cannot be read: there is none. Provision it: pulumi up; or name another stack: npm run report -- --stack NAME`,
    ],
    [
      refusalText(new Error("Could not load the default credentials."), "p", "r"),
      `${WHERE} cannot be read without a login at Google: gcloud auth application-default login`,
    ],
    [
      refusalText(new Error("connect ECONNREFUSED"), "p", "r"),
      `${WHERE} cannot be read: connect ECONNREFUSED`,
    ],
  ])("%s", (text, expected) => {
    expect(text).toBe(expected);
  });
});

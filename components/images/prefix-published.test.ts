import { expect, test } from "vitest";
import { type Answers, fakeGoogle, logged } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { prefixPublished } from "./prefix-published.ts";

const NAME = "projects/p/locations/us-central1/repositories/r";
const URL = "us-central1-docker.pkg.dev/p/r";
const list = (token = ""): string => `GET /${NAME}/dockerImages?pageSize=1000&pageToken=${token}`;
const create = (image: string, tag: string): string => `POST /${NAME}/packages/${image}/tags?tagId=${tag}`;
const image = (name: string, letter: string, ...tags: string[]) => ({
  uri: `${URL}/${name}@sha256:${letter}`,
  ...(tags.length > 0 && { tags }),
});
const WHY = "Cleanup keeps a release by its tag v..., which these were published without";

/** Runs it against these answers. */
async function run(answers: Answers, preview = false): Promise<{ info: string[]; sent: string[] }> {
  const requests = await fakeGoogle(answers);
  const { info } = logged();
  await declare(() => prefixPublished(NAME), preview);
  return {
    info,
    sent: requests.flatMap(({ what }) => what.split(`POST /${NAME}/packages/`)[1] ?? []).sort(),
  };
}

/** A registry as it was filled before there were such tags, with one version that somebody gave the tag by hand, and one whose release did not end. */
const FILLED: Answers = {
  [list()]: {
    status: 200,
    body: {
      dockerImages: [
        image("hyperion-ui", "a", "1.4.2", "1.4", "1", "latest", "abc123f", "build"),
        image("hyperion-ui", "b", "1.4.1", "v1.4.1"),
        image("hyperion-ui", "c"),
        image("hyperion-ui", "f", "1.4.3", "build-1.4.3"),
      ],
      nextPageToken: "2",
    },
  },
  [list("2")]: {
    status: 200,
    body: {
      dockerImages: [
        image("old/name", "d", "1.4.2", "2.0.0-rc.1", "2025-01-10"),
        image("hyperion-http-bridge", "e", "edge", "1234567"),
      ],
    },
  },
};

test("every version of every image gets its tag, whatever the catalogue has by now", async () => {
  const created = { status: 200 };
  const { info, sent } = await run({
    ...FILLED,
    [create("hyperion-ui", "v1.4.2")]: created,
    [create("old%2Fname", "v1.4.2")]: { status: 409 },
    [create("old%2Fname", "v2.0.0-rc.1")]: created,
  });
  expect(sent).toEqual([
    "hyperion-ui/tags?tagId=v1.4.2",
    "old%2Fname/tags?tagId=v1.4.2",
    "old%2Fname/tags?tagId=v2.0.0-rc.1",
  ]);
  expect(info).toEqual([`${WHY}: set v1.4.2, v2.0.0-rc.1.`]);
});

test("a preview sets nothing and says what the up will set", async () => {
  expect(await run(FILLED, true)).toEqual({
    info: [`${WHY}: pulumi up will set v1.4.2, v2.0.0-rc.1.`],
    sent: [],
  });
});

test("where none is missing nothing is said", async () => {
  const dockerImages = [
    image("hyperion-ui", "a", "1.4.2", "v1.4.2", "latest"),
    image("hyperion-ui", "b", "1"),
  ];
  expect(await run({ [list()]: { status: 200, body: { dockerImages } } })).toEqual({ info: [], sent: [] });
  expect(await run({ [list()]: { status: 200, body: {} } })).toEqual({ info: [], sent: [] });
});

test("what cannot be set stops the run with the command", async () => {
  const denied = { status: 403, body: { error: { message: "Permission denied" } } };
  await expect(
    run({
      ...FILLED,
      [create("hyperion-ui", "v1.4.2")]: denied,
      [create("old%2Fname", "v1.4.2")]: denied,
      [create("old%2Fname", "v2.0.0-rc.1")]: { status: 200 },
    }),
  ).rejects.toThrow(
    [
      "2 problems; cleanup was not changed.",
      "",
      `${URL}/hyperion-ui:v1.4.2`,
      "  found:   Artifact Registry answered 403 (Permission denied) where it was to be set",
      "  allowed: an account that may set tags (roles/artifactregistry.writer): without it cleanup would delete the release",
      `  fix:     gcloud artifacts docker tags add ${URL}/hyperion-ui:1.4.2 ${URL}/hyperion-ui:v1.4.2`,
      "",
      `${URL}/old/name:v1.4.2`,
    ].join("\n"),
  );
});

test("what cannot be listed stops the run", async () => {
  await expect(run({ [list()]: { status: 403 } })).rejects.toThrow(
    `${NAME}\n  found:   Artifact Registry answered 403 to the question which releases cleanup has to keep\n`,
  );
});

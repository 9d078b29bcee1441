import { describe, expect, test } from "vitest";
import { publishedReferences, refuseMovedVersion } from "./confirm-version.ts";
import { type Answers, fakeGoogle } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";

const target = {
  project: "production-471918",
  location: "us-central1",
  repositoryId: "hyperion-public",
  version: "1.4.2",
};
const REPOSITORY = "projects/production-471918/locations/us-central1/repositories/hyperion-public";
const tag = (image: string): string => `GET /${REPOSITORY}/packages/${image}/tags/1.4.2`;
const published = (image: string, digest: string) => ({
  status: 200,
  body: { name: "tag", version: `${REPOSITORY}/packages/${image}/versions/${digest}` },
});
const references = ["hyperion-ui", "hyperion-http-bridge"].map(
  (image) => `us-central1-docker.pkg.dev/production-471918/hyperion-public/${image}@sha256:bbb`,
);

async function outcome(answers: Answers): Promise<string> {
  await fakeGoogle(answers);
  return declare(() => refuseMovedVersion(target, references)).then(
    () => "allowed",
    (error: unknown) => (error as Error).message,
  );
}

describe("a version", () => {
  test("that is not published yet may be", async () => {
    expect(await outcome({})).toBe("allowed");
  });

  test("that is published from the same build may be again", async () => {
    expect(await outcome({ [tag("hyperion-ui")]: published("hyperion-ui", "sha256:bbb") })).toBe("allowed");
  });

  test("that is published from another build never moves", async () => {
    expect(await outcome({ [tag("hyperion-ui")]: published("hyperion-ui", "sha256:aaa") })).toBe(
      [
        "1 problem; no tag was set.",
        "",
        "hyperion-ui:1.4.2",
        "  found:   published already as sha256:aaa; this build is sha256:bbb",
        "  allowed: a version that is not published yet: a published one never moves, and sources that did not change count as the same only while the stack's state holds their build",
        "  fix:     pulumi config set hyperion-registry:version 1.4.3",
        "           or, to move it under those who pinned it: pulumi config set hyperion-registry:allowVersionOverwrite true",
      ].join("\n"),
    );
  });

  test("that cannot be looked up is not published", async () => {
    const refused = (body?: object) => outcome({ [tag("hyperion-ui")]: { status: 403, body } });
    const question = "to the question whether it is published";
    expect(await refused()).toContain(`Artifact Registry answered 403 ${question}`);
    expect(await refused({ error: { message: "Enable the API." } })).toContain(
      `Artifact Registry answered 403 (Enable the API.) ${question}`,
    );
  });
});

describe("a rollback", () => {
  const goBack = async (answers: Answers) => {
    await fakeGoogle(answers);
    return (await declare(() => publishedReferences(target, references))).result;
  };

  test("goes to the builds that the version was published from", async () => {
    const answers = {
      [tag("hyperion-ui")]: published("hyperion-ui", "sha256:aaa"),
      [tag("hyperion-http-bridge")]: published("hyperion-http-bridge", "sha256:ccc"),
    };
    expect(await goBack(answers)).toEqual([
      "us-central1-docker.pkg.dev/production-471918/hyperion-public/hyperion-ui@sha256:aaa",
      "us-central1-docker.pkg.dev/production-471918/hyperion-public/hyperion-http-bridge@sha256:ccc",
    ]);
  });

  test("stops where an image was never published under it", async () => {
    const answers = { [tag("hyperion-ui")]: published("hyperion-ui", "sha256:aaa") };
    await expect(goBack(answers)).rejects.toThrow(
      "hyperion-http-bridge:1.4.2\n  found:   not published, so that there is nothing to go back to",
    );
  });
});

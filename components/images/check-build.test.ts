import { expect, test, vi } from "vitest";
import { logged } from "../../test/support/fake-google.ts";
import { useScratch } from "../../test/support/scratch.ts";
import { catalogue } from "./catalogue.ts";
import { type BuildSettings, checkBuild } from "./check-build.ts";

const scratch = useScratch();

test.each<[BuildSettings, string | undefined]>([
  [{}, undefined],
  [{ publicAccess: true }, "everyone can pull"],
  [{ readers: ["allAuthenticatedUsers"] }, "everyone can pull"],
  [{ manageRegistry: false }, "everyone may be able to pull (the stack does not manage the registry)"],
  [{ manageRegistry: false, version: "1.4.2" }, "is published as version 1.4.2"],
])("with %j a file that looks like a secret is refused in an image that %s", async (settings, reach) => {
  vi.stubEnv("DOCKER_HOST", "unix:///nowhere.sock");
  logged();
  for (const { context, dockerfile } of catalogue.images) scratch.write(`${context}/${dockerfile}`);
  const ui = catalogue.images.find(({ name }) => name === "hyperion-ui");
  scratch.write(`${ui?.context ?? ""}/.npmrc`);
  const problems = await checkBuild({ publishImages: true, sourceDir: scratch.folder, ...settings });
  const refused = problems.filter(({ found }) => found.includes("in the build of hyperion-ui: .npmrc"));
  expect(refused.map(({ allowed }) => allowed)).toEqual(
    reach === undefined
      ? []
      : [`no such file in an image that ${reach}; track a file in git if the image needs it`],
  );
});

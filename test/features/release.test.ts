import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { wantsCurrentEngine } from "../../sandbox/machine/install-engine.ts";
import { withBuildStep } from "../support/build-step.ts";
import {
  clearFaults,
  digestOf,
  fault,
  google,
  published,
  removeTags,
  REPOSITORY,
} from "../support/google.ts";
import { failed, passed, stdoutOf } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const [MCP, BRIDGE, UI] = images.map(({ name }) => name) as [string, string, string];
const ARCHITECTURES = ["amd64", "arm64"];

const sandbox = useSandbox();

const digest = (image: string, tag: string) => digestOf(sandbox, image, tag);
const ui = (tag: string) => digest(UI, tag);

/** The images whose build an `up` reported, as `operation name`. */
function builds(output: string): string[] {
  const line = /^ *(\S+) +docker:index:Image (\S+) (?:created|updated|replaced|deleted)/gm;
  return [...output.matchAll(line)].map(([, operation = "", name = ""]) => `${operation} ${name}`).sort();
}

/** The lines of a preview or an `up` that report the tags of an image, each once. */
const tagLines = (output: string): string[] => [
  ...new Set(output.match(/(?<=^ *)hyperion-[a-z-]+: .*->.*$/gm) ?? []),
];

/** The tags of each image with their digests, without working tags. */
const releaseTags = () => published(sandbox, (tag) => !tag.startsWith("build"));

/** Changes the sources of an image. */
const edit = (file = "coordinator/ui/src/index.html"): Promise<void> =>
  appendFile(join(sandbox.sources, file), "\n// another build\n");

const preview = async (): Promise<string> => passed(await sandbox.tryPulumi("preview"));
const up = async (): Promise<string> => passed(await sandbox.tryUp());

/** The digests of these tags of the user interface. */
const digestsOf = async (...tags: string[]): Promise<Record<string, string | undefined>> =>
  Object.fromEntries(await Promise.all(tags.map(async (tag) => [tag, await ui(tag)] as const)));

/** Empties the state, as if it were lost. */
async function loseState(): Promise<void> {
  const file = join(sandbox.scratch, "state.json");
  await sandbox.pulumi("stack", "export", "--file", file);
  const state = JSON.parse(await readFile(file, "utf8")) as { deployment: { resources: unknown[] } };
  state.deployment.resources = [];
  await writeFile(file, JSON.stringify(state));
  await sandbox.pulumi("stack", "import", "--file", file);
}

afterEach(() => clearFaults(sandbox));

describe("a release", () => {
  let first: string | undefined;

  test("sets every tag of a version on one digest, as the preview shows, without a build or a pull", async () => {
    first = await ui("build");
    const local = ["image", "ls", "--quiet", "--filter", `reference=${sandbox.registry}/*`];
    const ids = stdoutOf(await sandbox.docker(...local)).split("\n");
    passed(await sandbox.docker("image", "rm", "--force", ...new Set(ids)));
    await sandbox.set({ version: "1.4.1", revision: "abc123f0".repeat(5) });
    const before = await published(sandbox);
    const planned = await preview();
    expect(await published(sandbox)).toEqual(before);
    expect(tagLines(planned)).toHaveLength(images.length);
    expect(tagLines(planned)).toContain(
      `${UI}: 1.4.1, v1.4.1, 1.4, 1, abc123f -> ${first?.slice(0, 19) ?? ""}`,
    );
    const done = await up();
    expect(builds(done)).toEqual([]);
    expect(tagLines(done)).toEqual(tagLines(planned));
    expect(stdoutOf(await sandbox.docker(...local))).toBe("");
    const tags = ["1.4.1", "abc123f", "1.4", "1", "latest", "v1.4.1"];
    for (const { name } of images) {
      const build = await digest(name, "build");
      for (const tag of [...tags, "build-1.4.1"]) expect(await digest(name, tag)).toBe(build);
    }
    expect(JSON.parse(await sandbox.pulumi("stack", "output", "images", "--json"))).toMatchObject({
      [UI]: { digest: first, tags },
    });
    expect(tagLines(await sandbox.expectNoChanges())).toEqual([]);
    await sandbox.unset("revision");
  });

  test("is an index of two platforms, each of which has its own tag and can be pulled", async () => {
    for (const { name } of images) {
      const reference = `${sandbox.registry}/${name}:1.4.1`;
      const found = `${name}@${(await digest(name, "1.4.1")) ?? ""}`;
      const { imageManifests } = (await google(sandbox, "GET", `${REPOSITORY}/dockerImages/${found}`)) as {
        imageManifests: { digest: string; os: string; architecture: string }[];
      };
      expect(imageManifests).toMatchObject(
        ARCHITECTURES.map((architecture) => ({ os: "linux", architecture })),
      );
      for (const [at, architecture] of ARCHITECTURES.entries()) {
        const child = imageManifests[at]?.digest;
        for (const tag of [`build-${architecture}`, `build-${architecture}-1.4.1`])
          expect(await digest(name, tag)).toBe(child);
        passed(await sandbox.docker("pull", "--quiet", "--platform", `linux/${architecture}`, reference));
        // With containerd's image store, only Docker's own newer command shows another platform.
        if (wantsCurrentEngine(process.env)) continue;
        const inspect = ["image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", reference];
        expect(stdoutOf(await sandbox.docker(...inspect))).toBe(`linux/${architecture}`);
      }
    }
  });

  test("stays unchanged when sources change and the state is lost; a preview reports that, and no tag moves", async () => {
    const before = await releaseTags();
    await edit();
    await loseState();
    await sandbox.set({ adoptExisting: "true" });
    const said =
      /The sources of .*hyperion-ui differ from 1\.4\.1, which stays as it is\. To publish them: npm run release -- 1\.4\.2/;
    const done = await up();
    expect(done).toMatch(said);
    expect(tagLines(done)).toEqual([]);
    expect(await ui("build")).not.toBe(first);
    expect(await releaseTags()).toEqual(before);
    await sandbox.unset("adoptExisting");
    await edit();
    const planned = await preview();
    expect(planned).toMatch(said);
    expect(planned).toMatch(/^ +~ 2 to update$/m);
    expect(tagLines(planned)).toEqual([]);
  });

  test("gets its deleted tags back in an up, on its digest", async () => {
    await removeTags(sandbox, UI, "1.4", "v1.4.1");
    const expected = `${UI}: v1.4.1, 1.4 -> ${first?.slice(0, 19) ?? ""}`;
    expect(tagLines(await preview())).toEqual([expected]);
    expect(tagLines(await up())).toEqual([expected]);
    expect(await digestsOf("1.4", "v1.4.1")).toEqual({ "1.4": first, "v1.4.1": first });
  });

  test("moves no tag in an up without a version", async () => {
    const before = await releaseTags();
    await edit();
    await sandbox.unset("version");
    expect(tagLines(await up())).toEqual([]);
    expect(await releaseTags()).toEqual(before);
  });

  test("of changed sources is a new version", async () => {
    await edit();
    await sandbox.set({ version: "1.4.2" });
    expect(tagLines(await preview())).toContain(
      `${UI}: 1.4.2, v1.4.2 -> a new build; 1.4, 1, latest: 1.4.1 -> 1.4.2`,
    );
    await up();
    const second = await ui("build");
    expect(second).not.toBe(first);
    const tags = ["1.4.2", "v1.4.2", "1.4", "1", "latest"];
    expect(await digestsOf(...tags)).toEqual(Object.fromEntries(tags.map((tag) => [tag, second])));
    expect(await ui("1.4.1")).toBe(first);
  });

  test("fixes an old line, and moves the floating tags of that line alone", async () => {
    await edit();
    await sandbox.set({ version: "2.0.0" });
    await up();
    const newest = await ui("2.0.0");
    await edit();
    await sandbox.set({ version: "1.4.3" });
    await up();
    const fix = await ui("1.4.3");
    expect(fix).not.toBe(newest);
    expect(await digestsOf("latest", "2", "1", "1.4")).toEqual({
      latest: newest,
      "2": newest,
      "1": fix,
      "1.4": fix,
    });
  });

  test("with a failing build sets no tag, finishes the other images, and builds the failed one in the next up", async () => {
    const dockerfile = join(sandbox.sources, "coordinator/ui/Dockerfile");
    const good = await readFile(dockerfile, "utf8");
    await writeFile(dockerfile, withBuildStep(good, "RUN echo the step that fails && false"));
    await edit("coordinator/mcp-server/hyper-mcp");
    await sandbox.set({ version: "2.5.0" });
    const before = await releaseTags();
    expect(failed(await sandbox.tryUp())).toContain("the step that fails");
    expect(await releaseTags()).toEqual(before);
    await writeFile(dockerfile, `${good}\n# another build\n`);
    expect(builds(await up())).toEqual([`~ ${UI}-amd64`, `~ ${UI}-arm64`]);
    for (const { name } of images) expect(await digest(name, "2.5.0")).toBe(await digest(name, "build"));
  });

  // test/releases.test.ts stops runs after each of their requests.
  test("that stops while the tags of the version are set is finished by the next run", async () => {
    const before = await releaseTags();
    const version = "2.6.0";
    const imagesWith = async (tag: string): Promise<string[]> => {
      const found = await Promise.all(
        images.map(async ({ name }) => [name, await digest(name, tag)] as const),
      );
      return found.flatMap(([name, value]) => (value === undefined ? [] : [name]));
    };
    await edit();
    await sandbox.set({ version });
    for (const image of [BRIDGE, UI]) {
      const creation = { method: "POST", route: `*/packages/${image}/tags`, skip: 1 + ARCHITECTURES.length };
      await fault(sandbox, { kind: "status", status: 403, times: 0, ...creation });
    }
    expect(failed(await sandbox.tryUp())).toContain("Artifact Registry answered 403");
    await clearFaults(sandbox);
    const built = await ui("build");
    expect(built).not.toBe(await ui("2.5.0"));
    expect(await imagesWith(`build-${version}`)).toEqual([MCP, BRIDGE, UI]);
    expect([await imagesWith(version), await imagesWith(`v${version}`)]).toEqual([[MCP], [MCP]]);
    expect(await digestsOf("2", "latest")).toEqual({
      "2": before[UI]?.["2"],
      latest: before[UI]?.["latest"],
    });

    await up();
    const tags = [version, `v${version}`, "2.6", "2", "latest", `build-${version}`];
    expect(await digestsOf(...tags)).toEqual(Object.fromEntries(tags.map((tag) => [tag, built])));
    expect(tagLines(await sandbox.expectNoChanges())).toEqual([]);
  });

  test("leaves out an image that was added to the catalogue later, and the next version has it", async () => {
    // As if the catalogue had no such image when the version was published.
    const own = Object.keys((await published(sandbox))[UI] ?? {}).filter(
      (tag) => !/^build(-\w+64)?$/.test(tag),
    );
    await removeTags(sandbox, UI, ...own);
    const before = await releaseTags();
    expect(await up()).toContain("2.6.0 does not include hyperion-ui. The next version does.");
    expect(await releaseTags()).toEqual(before);
    await sandbox.set({ version: "2.6.1" });
    await up();
    for (const { name } of images) expect(await digest(name, "latest")).toBe(await digest(name, "2.6.1"));
  });
});

describe("a build of main", () => {
  test("has the tags of its commit and day, and edge; a preview names the images that change", async () => {
    await sandbox.unset("version");
    await sandbox.set({ revision: "def456a0".repeat(5), releaseDate: "2025-01-10" });
    await edit("coordinator/mcp-server/hyper-mcp");
    const lines = tagLines(await preview());
    for (const name of [MCP, BRIDGE])
      expect(lines).toContain(`${name}: def456a, 2025-01-10, edge -> a new build`);
    await up();
    for (const { name } of images)
      for (const tag of ["def456a", "2025-01-10", "edge"])
        expect(await digest(name, tag)).toBe(await digest(name, "build"));
    await sandbox.expectNoChanges();
  });

  test("a refusal in an up is reported in its own words", async () => {
    await edit();
    const output = failed(await sandbox.with({ DOCKER_CONFIG: join(sandbox.root, "nowhere") }).tryUp());
    expect(output).not.toContain("serializing");
    expect(output.match(/1 problem; nothing was pushed\./g)).toHaveLength(2); // as it happens, and at the end
  });
});

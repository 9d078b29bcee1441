import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { readPreview } from "../../scripts/ci/preview.ts";
import { digestOf, google, PACKAGES, published, removeTags } from "../support/google.ts";
import { failed, passed } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const sandbox = useSandbox();

/** The digest that a tag of an image stands for. */
const digest = (image: string, tag: string) => digestOf(sandbox, image, tag);
const ui = (tag: string) => digest("hyperion-ui", tag);

/** The resources of a type whose operation an `up` reported, as `operation name`. */
function operations(output: string, type: string): string[] {
  const line = new RegExp(
    `^ *(\\+-|\\+\\+|--|[+~-]) +docker:index:${type} (\\S+) (created|updated|replaced|deleted)`,
    "gm",
  );
  return [...output.matchAll(line)].map(([, operation = "", name = ""]) => `${operation} ${name}`).sort();
}

/** What a preview would do, as `operation name`, but for the stack's outputs. */
async function previewed(): Promise<string[]> {
  const { changes, errors } = readPreview(await sandbox.pulumi("preview", "--json"));
  expect(errors).toEqual([]);
  const [, ...types] = ["", "Image", "RemoteImage", "Tag", "RegistryImage"];
  return changes
    .filter(({ type }) => type !== "pulumi:pulumi:Stack")
    .map(({ operation, type, name }) => {
      const short = type.replace(/^.*:/, "");
      return `${operation} ${types.includes(short) ? short : type} ${name}`;
    })
    .filter((line) => !/^(create|delete)-replace/.test(line))
    .sort();
}

/** The tags of each image with their digests, but for those that nobody pulls. */
const pulled = () => published(sandbox, (tag) => !tag.startsWith("build"));

/** Changes the sources of an image. */
const edit = (file = "coordinator/ui/src/index.html"): Promise<void> =>
  appendFile(join(sandbox.sources, file), "\n// another build\n");

describe("a release", () => {
  let first: string | undefined;

  test("puts every tag of a version on one digest, and builds nothing for it", async () => {
    first = await ui("build");
    await sandbox.set({ version: "1.4.1", revision: "abc123f0".repeat(5) });
    expect(operations(await sandbox.up(), "Image")).toEqual([]);
    const tags = ["1.4.1", "abc123f", "1.4", "1", "latest", "v1.4.1"];
    for (const { name } of images) {
      const build = await digest(name, "build");
      for (const tag of [...tags, "build-1.4.1"]) expect(await digest(name, tag)).toBe(build);
    }
    expect(JSON.parse(await sandbox.pulumi("stack", "output", "images", "--json"))).toMatchObject({
      "hyperion-ui": { digest: first, tags },
    });
    await sandbox.unset("revision");
  });

  test("of unchanged sources builds nothing on a fresh machine, and the old version stays", async () => {
    await sandbox.docker("system", "prune", "--all", "--force");
    await sandbox.docker("builder", "prune", "--all", "--force");
    await sandbox.run("up", "--no-stack"); // the base image of the samples is gone, too
    await sandbox.set({ version: "1.4.2" });
    expect(operations(await sandbox.up(), "Image")).toEqual([]);
    expect(await ui("1.4.2")).toBe(first);
    expect(await ui("1.4.1")).toBe(first);
    await sandbox.expectNoChanges();
  });

  test("stays as it is when sources change: a preview has the build and no other line, and says so", async () => {
    const before = await pulled();
    await edit();
    const { output } = await sandbox.tryPulumi("preview");
    expect(output).toContain(
      "The sources of hyperion-ui differ from 1.4.2, which stays as it is. To publish them: npm run release -- 1.4.3",
    );
    expect(await previewed()).toEqual(["update Image hyperion-ui"]);
    await sandbox.set({ "readers[0]": "user:dana@example.com" });
    expect(passed(await sandbox.tryUp())).toContain("differ from 1.4.2");
    expect(await ui("build")).not.toBe(first);
    expect(await pulled()).toEqual(before);
  });

  test.each(["and a refresh has found that", "by an up alone"])(
    "gets a tag back that somebody deleted, from its own digest: %s",
    async (how) => {
      await sandbox.docker("system", "prune", "--all", "--force"); // on another machine
      await sandbox.run("up", "--no-stack");
      await removeTags(sandbox, "hyperion-ui", "1.4");
      expect(await ui("1.4")).toBeUndefined();
      if (how.includes("refresh")) await sandbox.pulumi("refresh", "--yes");
      await sandbox.up();
      expect(await ui("1.4")).toBe(first);
      await sandbox.expectNoChanges();
    },
  );

  test("moves no tag where the next up names no version, and says so in one line", async () => {
    const before = await pulled();
    await edit();
    await sandbox.unset("version");
    expect(passed(await sandbox.tryUp())).toContain(
      "No version is named, so that no tag is declared; what is published stays in the registry. To name it: pulumi config set hyperion-registry:version 1.4.2",
    );
    expect(await pulled()).toEqual(before);
  });

  test("of changed sources is a new version, all or nothing", async () => {
    await sandbox.set({ version: "1.4.3" });
    await sandbox.up();
    const second = await ui("build");
    expect(second).not.toBe(first);
    for (const tag of ["1.4.3", "v1.4.3", "1.4", "1", "latest"]) expect(await ui(tag)).toBe(second);
    await sandbox.expectNoChanges();
  });

  test("that was bad is withdrawn: floating tags go back, without a build, until a higher version", async () => {
    await sandbox.set({ version: "1.4.2", rollback: "true" });
    expect(operations(await sandbox.up(), "Image")).toEqual([]);
    for (const tag of ["1.4.2", "1.4", "1", "latest"]) expect(await ui(tag)).toBe(first);
    const bad = await ui("1.4.3");
    expect(bad).not.toBe(first);
    expect(await ui("withdrawn-1.4.3")).toBe(bad);
    await sandbox.expectNoChanges();
    await sandbox.unset("rollback");
    await sandbox.expectNoChanges();
    for (const { name } of images) await removeTags(sandbox, name, "1.4.3");
    await sandbox.set({ version: "1.4.3" });
    const refused = failed(await sandbox.tryUp());
    expect(refused).toContain("found:   1.4.3, which was withdrawn: its tag was removed");
    await sandbox.set({ version: "1.4.4" });
    await sandbox.up();
    for (const tag of ["1.4", "1", "latest"]) expect(await ui(tag)).toBe(await ui("1.4.4"));
  });

  test("moves floating tags forward only, each in its own line", async () => {
    await edit();
    await sandbox.set({ version: "2.0.0" });
    await sandbox.up();
    const newest = await ui("2.0.0");
    await edit();
    await sandbox.set({ version: "1.5.0" });
    await sandbox.up();
    const fix = await ui("1.5.0");
    const on = async (...tags: string[]) =>
      Object.fromEntries(await Promise.all(tags.map(async (tag) => [tag, await ui(tag)] as const)));
    expect(await on("latest", "2", "1", "1.5")).toEqual({
      latest: newest,
      "2": newest,
      "1": fix,
      "1.5": fix,
    });
    const before = await on("latest", "1", "1.4");
    await edit();
    await sandbox.set({ version: "1.4.0" });
    const { output } = await sandbox.tryUp();
    for (const line of [
      "1.4 stays: 1.4.4 is published and higher.",
      "1 stays: 1.5.0 is published and higher.",
      "latest stays: 2.0.0 is published and higher.",
    ])
      expect(output).toContain(line);
    expect(await on("latest", "1", "1.4")).toEqual(before);
    expect(await ui("1.4.0")).not.toBe(fix);
  });

  test("with a failing build tags nothing, the other images finish, and the next up builds what is missing", async () => {
    const dockerfile = join(sandbox.sources, "coordinator/ui/Dockerfile");
    await appendFile(dockerfile, "\nRUN echo the step that fails && false\n");
    await edit("coordinator/mcp-server/hyper-mcp");
    await sandbox.set({ version: "2.5.0" });
    const output = failed(await sandbox.tryUp());
    expect(output).toContain("the step that fails");
    for (const { name } of images) expect(await digest(name, "2.5.0")).toBeUndefined();
    await writeFile(
      dockerfile,
      (await readFile(dockerfile, "utf8")).replace(/\nRUN echo the step.*\n/, "\n"),
    );
    expect(operations(await sandbox.up(), "Image")).toEqual(["~ hyperion-ui"]);
    for (const { name } of images) expect(await digest(name, "2.5.0")).toBe(await digest(name, "build"));
  });

  test("that another run overtakes stops before the floating tags with one line, and is finished by the next", async () => {
    await appendFile(join(sandbox.sources, "coordinator/ui/Dockerfile"), "\nRUN sleep 3\n");
    await sandbox.set({ version: "2.6.0" });
    const run = sandbox.start("pulumi", ["up", "--yes", "--skip-preview"]);
    await new Promise<void>((resolve) => {
      run.onPrint((printed) => {
        if (/docker:index:Image hyperion-ui updating/.test(printed)) resolve();
      });
    });
    for (const { name } of images) {
      const path = `${PACKAGES}/${name}`;
      const version = `${path.slice("v1/".length)}/versions/${(await digest(name, "2.0.0")) ?? ""}`;
      for (const tag of ["build-2.7.0", "2.7.0", "v2.7.0"])
        await google(sandbox, "POST", `${path}/tags?tagId=${tag}`, { version });
    }
    const output = failed(await run.ended);
    expect(output).toMatch(
      /^ *(error: )?2\.6\.0 is published, and was overtaken: 2 and latest stay: 2\.7\.0 is published and higher\. Run it again to finish the rest\.$/m,
    );
    expect(output).not.toContain("serializing");
    const built = await ui("2.6.0");
    expect(built).toBe(await ui("build"));
    for (const tag of ["2.6", "v2.6.0"]) expect(await ui(tag)).toBeUndefined();
    await sandbox.up();
    for (const tag of ["2.6", "v2.6.0"]) expect(await ui(tag)).toBe(built);
    expect(await ui("latest")).not.toBe(built);
    await sandbox.expectNoChanges();
  });
});

describe("a build of main", () => {
  test("changes the tags of the image whose sources changed, and a preview has no other line", async () => {
    await sandbox.unset("version");
    await sandbox.set({ revision: "def456a0".repeat(5), releaseDate: "2025-01-10", edge: "true" });
    await sandbox.up();
    await sandbox.expectNoChanges();
    await edit("coordinator/mcp-server/hyper-mcp");
    const name = "hyperion-coordinator-mcp";
    const tags = ["def456a", "edge", "2025-01-10"];
    const lines = await previewed();
    expect(lines.filter((line) => line.includes(" Image "))).toEqual([
      `update Image ${name}`,
      "update Image hyperion-http-bridge",
    ]);
    for (const tag of tags) expect(lines).toContain(`replace RegistryImage ${name}-${tag}`);
    expect(lines.filter((line) => line.includes("hyperion-ui"))).toEqual([]);
    await sandbox.up();
    for (const tag of tags) expect(await digest(name, tag)).toBe(await digest(name, "build"));
  });

  test("a refusal at up reads as itself, once", async () => {
    await edit();
    const output = failed(await sandbox.with({ DOCKER_CONFIG: join(sandbox.root, "nowhere") }).tryUp());
    expect(output).not.toContain("serializing");
    expect(output.match(/1 problem; nothing was pushed\./g)).toHaveLength(2); // as it happens, and at the end
  });
});

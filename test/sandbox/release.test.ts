import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
import { readPreview } from "../../scripts/ci/preview.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const PACKAGES = "v1/projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public/packages";

const sandbox = useSandbox();

const set = (name: string, value: string) => sandbox.pulumi("config", "set", name, value);
const up = () => sandbox.pulumi("up", "--yes", "--skip-preview");

/** The digest that a tag stands for in the registry; undefined when there is no such tag. */
async function digestOf(image: string, tag: string): Promise<string | undefined> {
  const { status, body } = await sandbox.google("GET", `${PACKAGES}/${image}/tags/${tag}`);
  return status === 404 ? undefined : (body as { version: string }).version.replace(/^.*\//, "");
}

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
async function published(): Promise<Record<string, Record<string, string>>> {
  const entries = images.map(async ({ name }) => {
    const { body } = await sandbox.google("GET", `${PACKAGES}/${name}/tags`);
    const { tags } = body as { tags: { name: string; version: string }[] };
    const own = tags.map((tag) => [tag.name.replace(/^.*\//, ""), tag.version.replace(/^.*\//, "")] as const);
    return [name, Object.fromEntries(own.filter(([tag]) => !tag.startsWith("build")))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Changes the sources of an image. */
const edit = (file = "coordinator/ui/server.js"): Promise<void> =>
  appendFile(join(sandbox.sources, file), "\n// another build\n");

describe("a release", () => {
  let first: string | undefined;

  test("puts every tag of a version on one digest, and builds nothing for it", async () => {
    first = await digestOf("hyperion-ui", "build");
    await set("version", "1.4.1");
    await set("revision", "abc123f0".repeat(5));
    expect(operations(await up(), "Image")).toEqual([]);
    const tags = ["1.4.1", "abc123f", "1.4", "1", "latest", "v1.4.1"];
    for (const { name } of images) {
      const build = await digestOf(name, "build");
      for (const tag of [...tags, "build-1.4.1"]) expect(await digestOf(name, tag)).toBe(build);
    }
    expect(JSON.parse(await sandbox.pulumi("stack", "output", "images", "--json"))).toMatchObject({
      "hyperion-ui": { digest: first, tags },
    });
    await sandbox.pulumi("config", "rm", "revision");
  });

  test("of unchanged sources builds nothing on a fresh machine, and the old version stays", async () => {
    await sandbox.docker("system", "prune", "--all", "--force");
    await sandbox.docker("builder", "prune", "--all", "--force");
    await sandbox.run("up", "--no-stack"); // the base image of the samples is gone, too
    await set("version", "1.4.2");
    expect(operations(await up(), "Image")).toEqual([]);
    expect(await digestOf("hyperion-ui", "1.4.2")).toBe(first);
    expect(await digestOf("hyperion-ui", "1.4.1")).toBe(first);
    await sandbox.pulumi("preview", "--expect-no-changes");
  });

  test("stays as it is when sources change: a preview has the build and no other line, and says so", async () => {
    const before = await published();
    await edit();
    const { output } = await sandbox.tryPulumi("preview");
    expect(output).toContain(
      "The sources of hyperion-ui differ from 1.4.2, which stays as it is. To publish them: npm run release -- 1.4.3",
    );
    expect(await previewed()).toEqual(["update Image hyperion-ui"]);
    await sandbox.pulumi("config", "set", "--path", "readers[0]", "user:dana@example.com");
    const done = await sandbox.tryPulumi("up", "--yes", "--skip-preview");
    expect([done.code, done.output]).toMatchObject([0, expect.stringContaining("differ from 1.4.2")]);
    expect(await digestOf("hyperion-ui", "build")).not.toBe(first);
    expect(await published()).toEqual(before);
  });

  test.each(["and a refresh has found that", "by an up alone"])(
    "gets a tag back that somebody deleted, from its own digest: %s",
    async (how) => {
      await sandbox.docker("system", "prune", "--all", "--force"); // on another machine
      await sandbox.run("up", "--no-stack");
      expect(await sandbox.google("DELETE", `${PACKAGES}/hyperion-ui/tags/1.4`)).toMatchObject({
        status: 200,
      });
      expect(await digestOf("hyperion-ui", "1.4")).toBeUndefined();
      if (how.includes("refresh")) await sandbox.pulumi("refresh", "--yes");
      await up();
      expect(await digestOf("hyperion-ui", "1.4")).toBe(first);
      await sandbox.pulumi("preview", "--expect-no-changes");
    },
  );

  test("moves no tag where the next up names no version, and says so in one line", async () => {
    const before = await published();
    await edit();
    await sandbox.pulumi("config", "rm", "version");
    const { code, output } = await sandbox.tryPulumi("up", "--yes", "--skip-preview");
    expect([code, output]).toMatchObject([
      0,
      expect.stringContaining(
        "No version is named, so that no tag is declared; what is published stays in the registry. To name it: pulumi config set hyperion-registry:version 1.4.2",
      ),
    ]);
    expect(await published()).toEqual(before);
  });

  test("of changed sources is a new version, all or nothing", async () => {
    await set("version", "1.4.3");
    await up();
    const second = await digestOf("hyperion-ui", "build");
    expect(second).not.toBe(first);
    for (const tag of ["1.4.3", "v1.4.3", "1.4", "1", "latest"])
      expect(await digestOf("hyperion-ui", tag)).toBe(second);
    await sandbox.pulumi("preview", "--expect-no-changes");
  });

  test("that was bad is withdrawn: floating tags go back, without a build, until a higher version", async () => {
    await set("version", "1.4.2");
    await set("rollback", "true");
    expect(operations(await up(), "Image")).toEqual([]);
    for (const tag of ["1.4.2", "1.4", "1", "latest"]) expect(await digestOf("hyperion-ui", tag)).toBe(first);
    const bad = await digestOf("hyperion-ui", "1.4.3");
    expect(bad).not.toBe(first);
    expect(await digestOf("hyperion-ui", "withdrawn-1.4.3")).toBe(bad);
    await sandbox.pulumi("preview", "--expect-no-changes");
    await sandbox.pulumi("config", "rm", "rollback");
    await sandbox.pulumi("preview", "--expect-no-changes");
    for (const { name } of images) await sandbox.google("DELETE", `${PACKAGES}/${name}/tags/1.4.3`);
    await set("version", "1.4.3");
    const refused = await sandbox.tryPulumi("up", "--yes", "--skip-preview");
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain("found:   1.4.3, which was withdrawn: its tag was removed");
    await set("version", "1.4.4");
    await up();
    for (const tag of ["1.4", "1", "latest"])
      expect(await digestOf("hyperion-ui", tag)).toBe(await digestOf("hyperion-ui", "1.4.4"));
  });

  test("moves floating tags forward only, each in its own line", async () => {
    await edit();
    await set("version", "2.0.0");
    await up();
    const newest = await digestOf("hyperion-ui", "2.0.0");
    await edit();
    await set("version", "1.5.0");
    await up();
    const fix = await digestOf("hyperion-ui", "1.5.0");
    const on = async (...tags: string[]) =>
      Object.fromEntries(
        await Promise.all(tags.map(async (tag) => [tag, await digestOf("hyperion-ui", tag)] as const)),
      );
    expect(await on("latest", "2", "1", "1.5")).toEqual({
      latest: newest,
      "2": newest,
      "1": fix,
      "1.5": fix,
    });
    const before = await on("latest", "1", "1.4");
    await edit();
    await set("version", "1.4.0");
    const { output } = await sandbox.tryPulumi("up", "--yes", "--skip-preview");
    for (const line of [
      "1.4 stays: 1.4.4 is published and higher.",
      "1 stays: 1.5.0 is published and higher.",
      "latest stays: 2.0.0 is published and higher.",
    ])
      expect(output).toContain(line);
    expect(await on("latest", "1", "1.4")).toEqual(before);
    expect(await digestOf("hyperion-ui", "1.4.0")).not.toBe(fix);
  });

  test("with a failing build tags nothing, the other images finish, and the next up builds what is missing", async () => {
    const dockerfile = join(sandbox.sources, "coordinator/ui/Dockerfile");
    await appendFile(dockerfile, "\nRUN echo the step that fails && false\n");
    await edit("coordinator/mcp-server/hyper-mcp");
    await set("version", "2.5.0");
    const { code, output } = await sandbox.tryPulumi("up", "--yes", "--skip-preview");
    expect(code).not.toBe(0);
    expect(output).toContain("the step that fails");
    for (const { name } of images) expect(await digestOf(name, "2.5.0")).toBeUndefined();
    await writeFile(
      dockerfile,
      (await readFile(dockerfile, "utf8")).replace(/\nRUN echo the step.*\n/, "\n"),
    );
    expect(operations(await up(), "Image")).toEqual(["~ hyperion-ui"]);
    for (const { name } of images) expect(await digestOf(name, "2.5.0")).toBe(await digestOf(name, "build"));
  });

  test("that another run overtakes stops before the floating tags with one line, and is finished by the next", async () => {
    await appendFile(join(sandbox.sources, "coordinator/ui/Dockerfile"), "\nRUN sleep 3\n");
    await set("version", "2.6.0");
    const run = sandbox.start("pulumi", ["up", "--yes", "--skip-preview"]);
    await new Promise<void>((resolve) => {
      run.onPrint((printed) => {
        if (/docker:index:Image hyperion-ui updating/.test(printed)) resolve();
      });
    });
    for (const { name } of images) {
      const path = `projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public/packages/${name}`;
      const version = `${path}/versions/${(await digestOf(name, "2.0.0")) ?? ""}`;
      for (const tag of ["build-2.7.0", "2.7.0", "v2.7.0"])
        await sandbox.google("POST", `v1/${path}/tags?tagId=${tag}`, { version });
    }
    const { code, output } = await run.ended;
    expect(code).not.toBe(0);
    expect(output).toMatch(
      /^ *(error: )?2\.6\.0 is published, and was overtaken: 2 and latest stay: 2\.7\.0 is published and higher\. Run it again to finish the rest\.$/m,
    );
    expect(output).not.toContain("serializing");
    const built = await digestOf("hyperion-ui", "2.6.0");
    expect(built).toBe(await digestOf("hyperion-ui", "build"));
    for (const tag of ["2.6", "v2.6.0"]) expect(await digestOf("hyperion-ui", tag)).toBeUndefined();
    await up();
    for (const tag of ["2.6", "v2.6.0"]) expect(await digestOf("hyperion-ui", tag)).toBe(built);
    expect(await digestOf("hyperion-ui", "latest")).not.toBe(built);
    await sandbox.pulumi("preview", "--expect-no-changes");
  });
});

describe("a build of main", () => {
  test("changes the tags of the image whose sources changed, and a preview has no other line", async () => {
    await sandbox.pulumi("config", "rm", "version");
    await set("revision", "def456a0".repeat(5));
    await set("releaseDate", "2025-01-10");
    await set("edge", "true");
    await up();
    await sandbox.pulumi("preview", "--expect-no-changes");
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
    await up();
    for (const tag of tags) expect(await digestOf(name, tag)).toBe(await digestOf(name, "build"));
  });

  test("a refusal at up reads as itself, once", async () => {
    await edit();
    const { code, output } = await sandbox.command("pulumi", ["up", "--yes", "--skip-preview"], {
      DOCKER_CONFIG: join(sandbox.root, "nowhere"),
    });
    expect(code).not.toBe(0);
    expect(output).not.toContain("serializing");
    expect(output.match(/1 problem; nothing was pushed\./g)).toHaveLength(2); // as it happens, and at the end
  });
});

import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import images from "../../images.json" with { type: "json" };
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

describe("a release", () => {
  let first: string | undefined;

  test("puts every tag of a version on one digest, and builds nothing for it", async () => {
    first = await digestOf("hyperion-ui", "build");
    await set("version", "1.4.1");
    await set("revision", "abc123f0".repeat(5));
    await set("releaseDate", "2025-01-10");
    expect(operations(await up(), "Image")).toEqual([]);
    for (const { name } of images) {
      const build = await digestOf(name, "build");
      for (const tag of ["1.4.1", "1.4", "1", "latest", "abc123f", "2025-01-10"]) {
        expect(await digestOf(name, tag)).toBe(build);
      }
    }
    expect(JSON.parse(await sandbox.pulumi("stack", "output", "images", "--json"))).toMatchObject({
      "hyperion-ui": { digest: first, tags: ["1.4.1", "1.4", "1", "latest", "abc123f", "2025-01-10"] },
    });
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

  test("gets a tag back that somebody deleted", async () => {
    expect(await sandbox.google("DELETE", `${PACKAGES}/hyperion-ui/tags/1.4`)).toMatchObject({ status: 200 });
    expect(await digestOf("hyperion-ui", "1.4")).toBeUndefined();
    await sandbox.pulumi("refresh", "--yes");
    await up();
    expect(await digestOf("hyperion-ui", "1.4")).toBe(first);
  });

  test("never moves a version that is published, and says both digests and the ways out", async () => {
    await appendFile(join(sandbox.sources, "coordinator/ui/server.js"), "\n// another build\n");
    const { code, output } = await sandbox.tryPulumi("up", "--yes", "--skip-preview");
    expect(code).not.toBe(0);
    expect(output).toContain(`found:   published already as ${first ?? ""}; this build is sha256:`);
    expect(output).toContain("pulumi config set hyperion-registry:version 1.4.3");
    expect(output).toContain("pulumi config set hyperion-registry:allowVersionOverwrite true");
    for (const tag of ["1.4.2", "1.4", "latest"]) expect(await digestOf("hyperion-ui", tag)).toBe(first);
    await set("version", "1.4.3");
    await up();
    const second = await digestOf("hyperion-ui", "1.4.3");
    expect(second).not.toBe(first);
    expect(await digestOf("hyperion-ui", "latest")).toBe(second);
  });

  test("that was bad is withdrawn: floating tags go back, without a build", async () => {
    await set("version", "1.4.2");
    await set("rollback", "true");
    expect(operations(await up(), "Image")).toEqual([]);
    for (const tag of ["1.4.2", "1.4", "1", "latest"]) expect(await digestOf("hyperion-ui", tag)).toBe(first);
    expect(await digestOf("hyperion-ui", "1.4.3")).not.toBe(first);
    await sandbox.pulumi("config", "rm", "rollback");
  });

  test("as a backport moves its minor tag, and neither major nor latest", async () => {
    const latest = await digestOf("hyperion-ui", "latest");
    await set("version", "1.3.9");
    await set("backport", "true");
    await up();
    const build = await digestOf("hyperion-ui", "build");
    expect(await digestOf("hyperion-ui", "1.3.9")).toBe(build);
    expect(await digestOf("hyperion-ui", "1.3")).toBe(build);
    expect(await digestOf("hyperion-ui", "1")).toBe(latest);
    expect(await digestOf("hyperion-ui", "latest")).toBe(latest);
    await sandbox.pulumi("config", "rm", "backport");
  });

  test("with a failing build tags nothing, the other images finish, and the next up builds what is missing", async () => {
    const dockerfile = join(sandbox.sources, "coordinator/ui/Dockerfile");
    await appendFile(dockerfile, "\nRUN echo the step that fails && false\n");
    await appendFile(join(sandbox.sources, "coordinator/mcp-server/hyper-mcp"), "\n// changed too\n");
    await set("version", "1.5.0");
    const { code, output } = await sandbox.tryPulumi("up", "--yes", "--skip-preview");
    expect(code).not.toBe(0);
    expect(output).toContain("the step that fails");
    for (const { name } of images) expect(await digestOf(name, "1.5.0")).toBeUndefined();
    await writeFile(
      dockerfile,
      (await readFile(dockerfile, "utf8")).replace(/\nRUN echo the step.*\n/, "\n"),
    );
    expect(operations(await up(), "Image")).toEqual(["~ hyperion-ui"]);
    for (const { name } of images) expect(await digestOf(name, "1.5.0")).toBe(await digestOf(name, "build"));
  });
});

import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Properties } from "../rpc/values.ts";
import { quietContext } from "../testing/support.ts";
import { Docker } from "./cli.ts";
import { image } from "./image.ts";
import { provider } from "./provider.ts";

const imageName = "localhost:5001/p/r/i:latest";
const DIGEST = `sha256:${"a".repeat(64)}`;
const PUSH = `push -- ${imageName}`;

let folder: string;
let context: string;

/** Writes a `docker` that records its calls. */
async function fakeDocker({ build = ":", pull = ":" } = {}): Promise<void> {
  const script = `#!/bin/sh
case $1 in --version) echo "Docker version 20.10.0, build 0"; exit ;; esac
echo "$*" >>'${folder}/calls'
case $1 in
build) ${build} ;;
pull) ${pull} ;;
push) echo "latest: digest: ${DIGEST} size: 1" ;;
esac
`;
  await writeFile(join(folder, "docker"), script, { mode: 0o755 });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hyperion-image-"));
  context = join(folder, "app");
  await mkdir(context);
  await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY hello.txt /\n");
  await writeFile(join(context, "hello.txt"), "hello\n");
  await writeFile(join(context, ".dockerignore"), "*.log\n");
  await writeFile(join(folder, "calls"), "");
  await fakeDocker();
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"] ?? ""}`);
});
afterEach(() => rm(folder, { recursive: true }));

const resource = image(() => new Docker(process.env));

const check = (build: Properties = {}, more: Properties = {}) =>
  Promise.resolve(
    resource.check({ imageName, build: { context, platform: "linux/arm64", ...build }, ...more }),
  );

async function inputsOf(build?: Properties, more?: Properties): Promise<Properties> {
  const { inputs, failures } = await check(build, more);
  expect(failures).toEqual([]);
  return inputs;
}

async function calls(): Promise<string[]> {
  return (await readFile(join(folder, "calls"), "utf8")).split("\n").slice(0, -1);
}

/** The command that builds the image. */
const build = (...options: string[]): string =>
  [
    `build --progress=plain --file ${context}/Dockerfile --tag ${imageName} --platform linux/arm64`,
    ...options,
    `-- ${context}`,
  ].join(" ");

describe("Image", () => {
  it("is built and pushed", async () => {
    const { id, outputs } = await resource.create(await inputsOf(), quietContext());
    expect(id).toBe(imageName);
    expect(outputs).toMatchObject({ platform: "linux/arm64", repoDigest: `localhost:5001/p/r/i@${DIGEST}` });
    expect(await calls()).toEqual([build(), PUSH]);
  });

  it("is built again only if an input or a source changed", async () => {
    const inputs = await inputsOf({ args: { N: "a" } });
    const changed = async (N: string) => {
      const differences = resource.diff(
        { id: imageName, inputs, outputs: {} },
        await inputsOf({ args: { N } }),
      );
      return differences.map(({ path, replaces }) => [path, replaces]);
    };
    expect(await changed("b")).toEqual([["build.args.N", false]]);
    await writeFile(join(context, "ignored.log"), "ignored\n");
    expect(await changed("a")).toEqual([]);
    await appendFile(join(context, "hello.txt"), "more\n");
    expect(await changed("a")).toEqual([["build.contextDigest", false]]);
  });

  it("is built in a preview with buildOnPreview only, and not pushed", async () => {
    await resource.preview(await inputsOf(), undefined, quietContext());
    expect(await calls()).toEqual([]);
    await resource.preview(await inputsOf({}, { buildOnPreview: true }), undefined, quietContext());
    expect(await calls()).toEqual([build()]);
  });

  it.each(["preview", "create"])("reports why the build of a %s failed", async (operation) => {
    const reason = 'failed to compute cache key: "/missing.txt" not found: not found';
    await fakeDocker({ build: `echo '#5 ERROR: ${reason}' >&2; exit 1` });
    const inputs = await inputsOf({}, { buildOnPreview: true });
    const run = async () =>
      operation === "preview"
        ? resource.preview(inputs, undefined, quietContext())
        : resource.create(inputs, quietContext());
    await expect(run()).rejects.toThrow(`error reading build output: ${reason}`);
    expect(await calls()).toEqual([build()]);
  });

  it("pulls its cache from a registry on loopback, if it exists", async () => {
    const cache = "localhost:5001/p/r/i:build";
    const inputs = await inputsOf({ cacheFrom: { images: [cache] } });
    const commands = [
      `pull --quiet --platform linux/arm64 -- ${cache}`,
      build(`--cache-from ${cache}`),
      PUSH,
    ];
    await resource.create(inputs, quietContext());
    expect(await calls()).toEqual(commands);
    await fakeDocker({ pull: "exit 1" });
    await resource.create(inputs, quietContext());
    expect(await calls()).toEqual([...commands, ...commands]);
  });

  it.each([
    ["context", { context: "./nowhere" }, 'path "./nowhere" not found'],
    ["Dockerfile", { dockerfile: "./Nowhere" }, "could not open dockerfile at relative path ./Nowhere"],
    ["Dockerfile", { dockerfile: "/nowhere/Dockerfile" }, "could not open dockerfile at absolute path"],
  ])("is refused without its %s: %o", async (_, missing, message) => {
    const reason = expect.stringContaining(message) as string;
    expect((await check(missing)).failures).toEqual([{ property: "build", reason }]);
    expect(await calls()).toEqual([]);
  });

  it("is not read, and stays in the registry after a delete", async () => {
    const old = { id: imageName, inputs: await inputsOf(), outputs: {} };
    expect(await resource.read(imageName, old, quietContext())).toEqual(old);
    await resource.delete(old, quietContext());
    expect(await calls()).toEqual([]);
  });
});

it("the provider fails as the real plugin does if no engine answers", async () => {
  await expect(provider.configure({ host: "unix:///nowhere.sock" }, quietContext())).rejects.toThrow(
    "docker native provider returned an unexpected error from Configure: failed to connect to any docker daemon",
  );
});

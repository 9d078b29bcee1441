import { beforeEach, describe, expect, it, vi } from "vitest";
import { useScratch } from "../../../test/support/scratch.ts";
import type { Properties } from "../rpc/values.ts";
import { quietContext } from "../testing/support.ts";
import { Docker } from "./cli.ts";
import { image } from "./image.ts";
import { provider } from "./provider.ts";

const imageName = "localhost:5001/p/r/i:latest";
const DIGEST = `sha256:${"a".repeat(64)}`;
const PUSH = `push -- ${imageName}`;

const scratch = useScratch();
let context: string;

/** Writes a `docker` that records its calls. */
function fakeDocker({ build = ":", pull = ":" } = {}): void {
  const script = `#!/bin/sh
case $1 in --version) echo "Docker version 20.10.0, build 0"; exit ;; esac
echo "$*" >>'${scratch.folder}/calls'
case $1 in
build) ${build} ;;
pull) ${pull} ;;
push) echo "latest: digest: ${DIGEST} size: 1" ;;
esac
`;
  scratch.write("docker", script, 0o755);
}

beforeEach(() => {
  context = scratch.path("app");
  scratch.write("app/Dockerfile", "FROM scratch\nCOPY hello.txt /\n");
  scratch.write("app/hello.txt", "hello\n");
  scratch.write("app/.dockerignore", "*.log\n");
  fakeDocker();
  vi.stubEnv("PATH", `${scratch.folder}:${process.env["PATH"] ?? ""}`);
});

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

const calls = (): string[] => scratch.read("calls").split("\n").slice(0, -1);

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
    expect(calls()).toEqual([build(), PUSH]);
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
    scratch.write("app/ignored.log", "ignored\n");
    expect(await changed("a")).toEqual([]);
    scratch.write("app/hello.txt", "hello\nmore\n");
    expect(await changed("a")).toEqual([["build.contextDigest", false]]);
  });

  it("is built in a preview with buildOnPreview only, and not pushed", async () => {
    await resource.preview(await inputsOf(), undefined, quietContext());
    expect(calls()).toEqual([]);
    await resource.preview(await inputsOf({}, { buildOnPreview: true }), undefined, quietContext());
    expect(calls()).toEqual([build()]);
  });

  it.each(["preview", "create"])("reports why the build of a %s failed", async (operation) => {
    const reason = 'failed to compute cache key: "/missing.txt" not found: not found';
    fakeDocker({ build: `echo '#5 ERROR: ${reason}' >&2; exit 1` });
    const inputs = await inputsOf({}, { buildOnPreview: true });
    const run = async () =>
      operation === "preview"
        ? resource.preview(inputs, undefined, quietContext())
        : resource.create(inputs, quietContext());
    await expect(run()).rejects.toThrow(`error reading build output: ${reason}`);
    expect(calls()).toEqual([build()]);
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
    expect(calls()).toEqual(commands);
    fakeDocker({ pull: "exit 1" });
    await resource.create(inputs, quietContext());
    expect(calls()).toEqual([...commands, ...commands]);
  });

  it.each([
    ["context", { context: "./nowhere" }, 'path "./nowhere" not found'],
    ["Dockerfile", { dockerfile: "./Nowhere" }, "could not open dockerfile at relative path ./Nowhere"],
    ["Dockerfile", { dockerfile: "/nowhere/Dockerfile" }, "could not open dockerfile at absolute path"],
  ])("is refused without its %s: %o", async (_, missing, message) => {
    const reason = expect.stringContaining(message) as string;
    expect((await check(missing)).failures).toEqual([{ property: "build", reason }]);
    expect(calls()).toEqual([]);
  });

  it("is not read, and stays in the registry after a delete", async () => {
    const old = { id: imageName, inputs: await inputsOf(), outputs: {} };
    expect(await resource.read(imageName, old, quietContext())).toEqual(old);
    await resource.delete(old, quietContext());
    expect(calls()).toEqual([]);
  });
});

it("the provider fails as the real plugin does if no engine answers", async () => {
  await expect(provider.configure({ host: "unix:///nowhere.sock" }, quietContext())).rejects.toThrow(
    "docker native provider returned an unexpected error from Configure: failed to connect to any docker daemon",
  );
});

import { relative } from "node:path";
import { difference } from "../rpc/diff.ts";
import type { Context, Resource } from "../rpc/provider.ts";
import {
  flag,
  hasUnknown,
  type Properties,
  record,
  text,
  texts,
  unknownValue,
  type Value,
} from "../rpc/values.ts";
import { BuildProgress } from "./build-progress.ts";
import { type Docker, DockerError, lastWords } from "./cli.ts";
import { buildPaths, checkImage, imageShape, imageType } from "./image-check.ts";
import { withoutTag } from "./image-name.ts";

/** `docker.Image`: builds and pushes. */
export function image(docker: () => Docker): Resource {
  return {
    type: imageType,
    check: checkImage,
    // As in the real plugin, only the inputs count.
    diff: (old, inputs) => difference(imageShape, inputs, old.inputs),
    async preview(inputs, _old, context) {
      if (flag(inputs, "buildOnPreview")) {
        if (hasUnknown(inputs["build"]))
          context.log("warning", "not built in this preview: the build's inputs are not known yet");
        else await build(docker(), inputs, context);
      }
      return { ...outputsOf(inputs), repoDigest: unknownValue };
    },
    async create(inputs, context) {
      return { id: text(inputs, "imageName"), outputs: await publish(docker(), inputs, context) };
    },
    // As in the real plugin, read and delete do not use the registry.
    read: (id, old) => Promise.resolve(old === undefined ? undefined : { id, ...old }),
    update: (_old, inputs, context) => publish(docker(), inputs, context),
    delete: () => Promise.resolve(),
  };
}

function outputsOf(inputs: Properties): Properties {
  const name = inputs["imageName"] ?? "";
  const { context, dockerfile } = buildPaths(inputs);
  return {
    baseImageName: name,
    context,
    dockerfile: hasUnknown([context, dockerfile]) ? unknownValue : relative(context, dockerfile),
    imageName: name,
    platform: record(inputs, "build")?.["platform"] ?? "",
    registryServer: "",
  };
}

async function publish(docker: Docker, inputs: Properties, context: Context): Promise<Properties> {
  const name = text(inputs, "imageName");
  await build(docker, inputs, context);
  context.status("Pushing Image to the registry");
  const lines = await push(docker, name, context.signal);
  return { ...outputsOf(inputs), repoDigest: `${withoutTag(name)}@${pushedDigest(lines, name)}` };
}

async function push(docker: Docker, name: string, signal: AbortSignal): Promise<string[]> {
  try {
    return await docker.run(["push", "--", name], { signal });
  } catch (error) {
    throw new Error(`error reading push output: ${lastWords(error)}`, { cause: error });
  }
}

/** The CLI's last line of a push is `latest: digest: sha256:... size: 1234`. */
function pushedDigest(lines: string[], name: string): string {
  const digest = lines
    .map((line) => /digest: (sha256:[0-9a-f]{64})/.exec(line)?.[1])
    .findLast((found) => found !== undefined);
  if (digest !== undefined) return digest;
  throw new Error(`pushed ${name}, but the Docker CLI did not say which digest it has`);
}

async function build(docker: Docker, inputs: Properties, context: Context): Promise<void> {
  const { args, environment } = buildCommand(inputs);
  const progress = new BuildProgress();
  context.status("Building the image");
  try {
    const cli = await docker.buildCli();
    await fetchLoopbackCache(docker, cacheImages(inputs), text(record(inputs, "build"), "platform"), context);
    await docker.run(args, {
      cli,
      environment,
      signal: context.signal,
      onLine: (line) => {
        const headline = progress.take(line);
        if (headline !== undefined) context.status(headline);
      },
    });
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    for (const line of progress.failingOutput()) context.log("info", line);
    throw new Error(`error reading build output: ${progress.failure()}`, { cause: error });
  }
}

function cacheImages(inputs: Properties): string[] {
  return texts(record(record(inputs, "build"), "cacheFrom"), "images");
}

/**
 * BuildKit uses plain HTTP for registries on loopback, and so finds no cache there. It does use local images, so the engine
 * pulls the cache images that exist.
 */
async function fetchLoopbackCache(
  docker: Docker,
  images: string[],
  platform: string,
  { signal, status }: Context,
): Promise<void> {
  for (const image of images.filter((name) => /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?\//.test(name))) {
    status(`Fetching ${image} for its layers`);
    try {
      // The engine would pull its own platform from an index.
      const options = platform === "" ? [] : ["--platform", platform];
      await docker.run(["pull", "--quiet", ...options, "--", image], { signal });
    } catch (error) {
      // The first build has no cache.
      if (!(error instanceof DockerError)) throw error;
    }
  }
}

function buildCommand(inputs: Properties): { args: string[]; environment: NodeJS.ProcessEnv } {
  const build = record(inputs, "build");
  const { context, dockerfile } = buildPaths(inputs);
  const name = text(inputs, "imageName");
  const cached = cacheImages(inputs);
  const environment: NodeJS.ProcessEnv = { DOCKER_BUILDKIT: "1" };
  const args = ["build", "--progress=plain", "--file", dockerfile];
  if (!hasUnknown(name)) args.push("--tag", name);
  const given = (option: string, value: Value | undefined): void => {
    if (typeof value === "string" && value !== "") args.push(option, value);
  };
  given("--platform", build?.["platform"]);
  given("--target", build?.["target"]);
  const buildArgs = record(build, "args") ?? {};
  for (const key of Object.keys(buildArgs)) {
    const value = text(buildArgs, key);
    // The CLI reads the value from its environment, to hide it from the process list, unless the CLI may use the variable
    // itself.
    const reserved = key in process.env || /^(DOCKER|BUILDKIT|BUILDX|HTTP|NO_PROXY)/i.test(key);
    args.push("--build-arg", reserved ? `${key}=${value}` : key);
    if (!reserved) environment[key] = value;
  }
  for (const from of cached) args.push("--cache-from", from);
  return { args: [...args, "--", context], environment };
}

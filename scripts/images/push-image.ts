import { closeSync, openSync, writeSync } from "node:fs";
import * as path from "node:path";
import { execa } from "execa";
import type { CatalogueImage } from "../../components/images/catalogue.ts";
import { isEngineRace } from "../../components/images/docker/engine-race.ts";
import { platformTag } from "../../components/images/tags/names.ts";
import type { CheckedDocker } from "./docker.ts";
import type { Publication } from "./publication.ts";

export interface Pushing {
  publication: Publication;
  docker: CheckedDocker;
  skipBuild: boolean;
  /** The folder with a log for each image. */
  logDir: string;
  /** Process groups to end on an interrupt. */
  running: Set<number>;
}

export interface PushResult {
  name: string;
  result: "pushed" | "build failed" | "push failed";
  seconds: number;
  /** The pushed digest of each platform. */
  digests: ReadonlyMap<string, string>;
  log: string;
}

/** Builds and pushes each platform of an image. Prints each step, and writes the output of docker to a log. */
export async function pushImage(image: CatalogueImage, pushing: Pushing): Promise<PushResult> {
  const { name } = image;
  const { publication, skipBuild } = pushing;
  const start = Date.now();
  const log = path.join(pushing.logDir, `${name}.log`);
  const file = openSync(log, "w");
  const digests = new Map<string, string>();
  let result: PushResult["result"] = "pushed";
  for (const platform of publication.platforms) {
    const reference = `${publication.registry}/${name}:${platformTag(platform)}`;
    if (skipBuild) say(image, `pushing ${reference}, ${await describeLocal(pushing.docker, reference)}`);
    else {
      say(image, `building for ${platform}`);
      const args = buildArgs(image, pushing, platform, reference);
      let built = await logged(pushing, file, args);
      if (built.failed && isEngineRace(built.all)) {
        say(image, "building once more: the engine lost a layer (moby/buildkit#6521)");
        built = await logged(pushing, file, args);
      }
      if (built.failed) {
        result = "build failed";
        break;
      }
      say(image, `pushing for ${platform}`);
    }
    const { failed, all } = await logged(pushing, file, ["push", reference]);
    const digest = /^.*: digest: (sha256:[0-9a-f]*) /m.exec(all)?.[1];
    if (failed || digest === undefined) {
      say(image, `push failed: ${all.trimEnd().split("\n").at(-1) ?? ""}`);
      result = "push failed";
      break;
    }
    digests.set(platform, digest);
  }
  writeSync(file, `${result}\n`);
  closeSync(file);
  return { name, result, seconds: Math.floor((Date.now() - start) / 1000), digests, log };
}

function say(image: CatalogueImage, text: string): void {
  process.stdout.write(`${image.name}: ${text}\n`);
}

function buildArgs(
  { context, dockerfile }: CatalogueImage,
  { publication, docker }: Pushing,
  platform: string,
  reference: string,
): string[] {
  const folder = `${publication.source}/${context}`;
  return [
    // A builder with the driver docker-container needs --load to give the image to the engine.
    ...(docker.hasBuildx ? ["buildx", "build", "--load"] : ["build"]),
    ...["--progress", "plain", "--platform", platform],
    ...["--tag", reference, "--file", `${folder}/${dockerfile}`, folder],
  ];
}

async function describeLocal({ command }: CheckedDocker, reference: string): Promise<string> {
  const { stdout } = await execa(command, [
    "image",
    "inspect",
    "--format",
    "{{.Id}} {{.Created}}",
    reference,
  ]);
  const [id = "", created = ""] = stdout.split(" ");
  return `${id}, made on ${created.slice(0, 16).replace("T", " ")} UTC`;
}

/** Runs docker in a new process group, with its output in the log. */
async function logged(
  { docker, running }: Pushing,
  file: number,
  args: string[],
): Promise<{ failed: boolean; all: string }> {
  const child = execa(docker.command, args, {
    // Without attestations the build is a single manifest, like a build of the stack.
    env: { DOCKER_BUILDKIT: "1", BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
    all: true,
    detached: true,
    reject: false,
    stdin: "ignore",
  });
  child.all.on("data", (chunk: Buffer) => writeSync(file, chunk));
  if (child.pid !== undefined) running.add(child.pid);
  const { failed, all } = await child;
  if (child.pid !== undefined) running.delete(child.pid);
  return { failed, all };
}

import { closeSync, openSync, writeSync } from "node:fs";
import * as path from "node:path";
import { execa } from "execa";
import { isEngineRace } from "../../components/images/docker/engine-race.ts";
import type { CatalogueImage } from "../../components/images/published-image.ts";
import { BUILD_TAG } from "../../components/images/tags.ts";
import type { Plan } from "./plan.ts";

/** What every image is published with. */
export interface Publishing {
  plan: Plan;
  /** The docker command. */
  docker: string;
  skipBuild: boolean;
  /** Folder of the logs, one an image. */
  logDir: string;
  /** Process groups that run, for an interrupt to end. */
  running: Set<number>;
}

/** How an image ended. */
export interface PublishedResult {
  name: string;
  /** `refused`: another build is published under the version. */
  result: "pushed" | "build failed" | "push failed" | "refused";
  seconds: number;
  /** Undefined where nothing is published. */
  digest?: string | undefined;
  /** The log's file. */
  log: string;
}

/** Builds one image and pushes all its tags; says each step on stdout and keeps what docker prints in a log. */
export async function publishImage(image: CatalogueImage, publishing: Publishing): Promise<PublishedResult> {
  const { name } = image;
  const begun = Date.now();
  const log = path.join(publishing.logDir, `${name}.log`);
  const file = openSync(log, "w");
  const job: Job = { ...publishing, image, file, reference: `${publishing.plan.registry}/${name}` };
  const end = (result: PublishedResult["result"], digest?: string): PublishedResult => {
    return { name, result, seconds: Math.floor((Date.now() - begun) / 1000), digest, log };
  };
  try {
    if (!publishing.skipBuild) await build(job);
    return end("pushed", await push(job));
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    writeSync(file, `${error.message || error.result}\n`);
    say(job, [error.result, error.message].filter(Boolean).join(": "));
    return end(error.result);
  } finally {
    closeSync(file);
  }
}

/** The work on one image. */
interface Job extends Publishing {
  image: CatalogueImage;
  /** The log, open. */
  file: number;
  /** The image's name in the registry, without a tag. */
  reference: string;
}

/** Why an image did not get all its tags; the message may be empty where the log says it. */
class ImageError extends Error {
  readonly result: PublishedResult["result"];

  constructor(result: PublishedResult["result"], message = "") {
    super(message);
    this.result = result;
  }
}

function say({ image }: Job, text: string): void {
  process.stdout.write(`${image.name}: ${text}\n`);
}

async function build(job: Job): Promise<void> {
  const { plan, image, reference } = job;
  const context = `${plan.source}/${image.context}`;
  say(job, "building");
  const args = ["build", "--progress", "plain", "--platform", plan.platform];
  args.push("--tag", `${reference}:${BUILD_TAG}`, "--file", `${context}/${image.dockerfile}`, context);
  let built = await logged(job, args);
  if (built.failed && isEngineRace(built.all)) {
    say(job, "building once more: the engine lost a layer (moby/buildkit#6521)");
    built = await logged(job, args);
  }
  if (built.failed) throw new ImageError("build failed");
}

/** Pushes every tag, and gives the digest that they stand for. */
async function push(job: Job): Promise<string | undefined> {
  const { plan, reference } = job;
  const published = new Map<string, string | undefined>();
  for (const tag of plan.fixedTags) published.set(tag, await publishedDigest(job, tag));
  let digest: string | undefined;
  for (const tag of plan.tags) {
    if (published.get(tag) !== undefined) {
      digest ??= published.get(tag);
      continue;
    }
    say(job, `pushing ${tag}`);
    for (const args of [
      ["tag", `${reference}:${BUILD_TAG}`, `${reference}:${tag}`],
      ["push", `${reference}:${tag}`],
    ]) {
      const { failed, all } = await logged(job, args);
      if (failed) throw new ImageError("push failed", `${tag}: ${lastLine(all)}`);
      digest = /^.*: digest: (sha256:[0-9a-f]*) /m.exec(all)?.[1] ?? digest;
    }
  }
  return digest;
}

/**
 * The digest under the tag that never moves when it is this very build's; undefined when nothing is published there.
 * @throws when another build is.
 */
async function publishedDigest(job: Job, tag: string): Promise<string | undefined> {
  const { plan, docker, reference } = job;
  const inspect = ["image", "inspect", "--format", "{{.Id}}", `${reference}:${BUILD_TAG}`];
  const { stdout: image } = await execa(docker, inspect, { reject: false });
  // The engine takes a registry on loopback without TLS or with any certificate; so does this question.
  const insecure = /^(localhost(:.*)?$|127\.)/.test(plan.host) ? ["--insecure"] : [];
  const question = ["manifest", "inspect", "--verbose", ...insecure, `${reference}:${tag}`];
  const { failed, stdout, stderr } = await execa(docker, question, { reject: false });
  if (failed) {
    if (/no such manifest|manifest unknown|not found/.test(stderr)) return undefined;
    throw new ImageError(
      "push failed",
      `cannot see whether ${tag} is published already: ${lastLine(stderr)}`,
    );
  }
  const published = /sha256:[0-9a-f]+/.exec(stdout)?.[0] ?? "";
  // An image's id is the digest of its configuration, or of its manifest with the containerd store.
  if (image !== "" && new RegExp(`"digest": *"${image}"`).test(stdout)) return published;
  throw new ImageError(
    "refused",
    `${tag} is published already, as ${published}, and this build is another (image ${image}). A published version never moves: choose a new --version, or move it under those who pinned it with --allow-version-overwrite`,
  );
}

/** Runs docker in a process group of its own, all that it prints going to the log. */
async function logged(
  { docker, file, running }: Job,
  args: string[],
): Promise<{ failed: boolean; all: string }> {
  const child = execa(docker, args, {
    // Without attestations the build is one manifest, as the stack's is.
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

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

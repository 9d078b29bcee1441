/**
 * The base images of the sample sources for each architecture: `hyperion-sandbox-base` replaces the images of Node.js and Go,
 * and `hyperion-sandbox-nginx` replaces nginx's.
 *
 * They are built from Docker Hub's images, or assembled from packages if these cannot be pulled. No step runs a program of
 * another architecture.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { whileHolding } from "../lib/lock.ts";
import { sharedCache } from "../lib/paths.ts";
import type { Progress } from "../lib/progress.ts";
import { succeed } from "../lib/run-command.ts";
import type { Architecture } from "./architecture.ts";
import { DebianPackages, extractNode, NODE_BUILDS, prepareRoot } from "./debian-root.ts";

const ARCHITECTURES: readonly Architecture[] = ["amd64", "arm64"];

interface BaseImage {
  /** The name in `FROM` of the sample Dockerfiles, without the architecture. */
  name: string;
  /** The stage in the Dockerfiles of base-image/. */
  stage: "base" | "nginx";
  packages: string[];
}

const IMAGES: readonly BaseImage[] = [
  {
    name: "hyperion-sandbox-base:24",
    stage: "base",
    // bash is for the health checks of databases.
    packages: ["busybox", "bash", "libstdc++6"],
  },
  {
    name: "hyperion-sandbox-nginx:1",
    stage: "nginx",
    packages: ["busybox", "nginx", "nginx-common"],
  },
];

const FOLDER = join(import.meta.dirname, "../base-image");
const FAKES = ["go", "air"];

/** A hash of everything that determines the images. */
const RECIPE = createHash("sha256")
  .update(JSON.stringify([IMAGES, NODE_BUILDS]))
  .update(
    ["../machine/debian-root.ts", "Dockerfile", "assembled.Dockerfile", "nginx.conf", "wget", ...FAKES]
      .map((file) => readFileSync(join(FOLDER, file), "utf8"))
      .join(),
  )
  .digest("hex")
  .slice(0, 12);
const LABEL = `hyperion.recipe=${RECIPE}`;

/** Timeout for the registry's first answer, in milliseconds. */
const ANSWER_MS = 8_000;
/** Timeout while a download makes no progress, in milliseconds. */
const STALL_MS = 60_000;

const UPSTREAM = "node:24-slim";

/**
 * Builds missing base images.
 *
 * @param env environment of the `docker` command: PATH, DOCKER_HOST, DOCKER_CONFIG.
 * @throws if `docker` or its engine does not work, or the packages cannot be downloaded.
 */
export async function ensureBaseImages(
  env: NodeJS.ProcessEnv,
  log: Progress,
): Promise<"present" | "pulled" | "assembled"> {
  const wanted = ARCHITECTURES.flatMap((architecture) =>
    IMAGES.map((image) => ({ image, architecture, tag: `${image.name}-${architecture}` })),
  );
  const present = await presentTags(env);
  const missing = wanted.filter(({ tag }) => !present.has(tag));
  if (missing.length === 0) return "present";

  log(`base images: pulling ${UPSTREAM}`);
  const pulled = await pull(env);
  for (const { image, architecture, tag } of missing) {
    const folder = pulled ? FOLDER : await ensureRoots(architecture, log);
    const file = join(FOLDER, pulled ? "Dockerfile" : "assembled.Dockerfile");
    const target = ["--platform", `linux/${architecture}`, "--target", image.stage, "--label", LABEL];
    await succeed("docker", ["build", "--quiet", "--file", file, ...target, "--tag", tag, folder], {
      env,
      extendEnv: false,
    });
  }
  return pulled ? "pulled" : "assembled";
}

async function presentTags(env: NodeJS.ProcessEnv): Promise<Set<string>> {
  const format = ["--format", "{{.Repository}}:{{.Tag}}"];
  const listed = await succeed("docker", ["image", "ls", "--filter", `label=${LABEL}`, ...format], {
    env,
    extendEnv: false,
  });
  return new Set(listed.split("\n"));
}

/** Pulls the upstream image; false on failure or timeout. */
function pull(env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const pulling = spawn("docker", ["pull", UPSTREAM], { env, stdio: ["ignore", "pipe", "ignore"] });
    const giveUp = () => pulling.kill();
    let timer = setTimeout(giveUp, ANSWER_MS);
    // The first line follows the registry's answer; later lines are progress.
    pulling.stdout.on("data", () => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, STALL_MS);
    });
    pulling.on("error", reject);
    pulling.on("close", (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}

/** A folder, shared by all checkouts, with the root of each image as a tar file. */
async function ensureRoots(architecture: Architecture, log: Progress): Promise<string> {
  const folder = join(sharedCache, `roots-${RECIPE}`, architecture);
  await mkdir(dirname(folder), { recursive: true });
  await whileHolding(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    log(`base images: ${UPSTREAM} cannot be pulled here, assembling those for ${architecture} from packages`);
    const scratch = await mkdtemp(`${folder}-`);
    try {
      const debian = await DebianPackages.of(architecture, join(scratch, "apt"));
      await mkdir(join(scratch, "roots"));
      for (const image of IMAGES) {
        const root = join(scratch, image.stage);
        await fillRoot(image, architecture, debian, root);
        // Reproducible.
        const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
        const tarball = join(scratch, "roots", `${image.stage}.tar`);
        await succeed("tar", ["--create", `--file=${tarball}`, ...same, `--directory=${root}`, "."]);
      }
      await rename(join(scratch, "roots"), folder);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
  return folder;
}

async function fillRoot(
  { packages, stage }: BaseImage,
  architecture: Architecture,
  debian: DebianPackages,
  root: string,
): Promise<void> {
  await prepareRoot(root);
  await debian.extract(packages, root);
  await copyFile(join(FOLDER, "wget"), join(root, "usr/local/bin/wget"));
  if (stage === "base") {
    await extractNode(architecture, root);
    for (const fake of FAKES) await copyFile(join(FOLDER, fake), join(root, "usr/local/bin", fake));
  } else await layOutNginx(root);
  // Modes must not depend on the umask.
  await succeed("chmod", ["-R", "a=rX,u+w", root]);
  await chmod(join(root, "tmp"), 0o1777);
}

/** Creates the folders and the configuration of nginx's own image. */
async function layOutNginx(root: string): Promise<void> {
  for (const folder of [
    "etc/nginx/conf.d",
    "var/cache/nginx",
    "var/log/nginx",
    "usr/share/nginx/html",
    "run",
  ])
    await mkdir(join(root, folder), { recursive: true });
  await copyFile(join(FOLDER, "nginx.conf"), join(root, "etc/nginx/nginx.conf"));
  await symlink("/dev/stderr", join(root, "var/log/nginx/error.log"));
  await symlink("/dev/stdout", join(root, "var/log/nginx/access.log"));
}

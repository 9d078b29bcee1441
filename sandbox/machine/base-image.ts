/**
 * The base image of the sample sources, `hyperion-sandbox-base:24`.
 *
 * It is Docker Hub's `node:24-slim` where that can be pulled, and else assembled from this machine's own
 * Node.js, so that the samples build where no image can be had.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { findCommands } from "../lib/files.ts";
import type { Progress } from "../lib/progress.ts";

const run = promisify(execFile);

/** What the sample Dockerfiles name in `FROM`. */
export const BASE_IMAGE = "hyperion-sandbox-base:24";

const UPSTREAM = "node:24-slim";

/** How long a registry may take to answer the request for the manifest, in milliseconds. */
const ANSWER_MS = 8_000;
/** How long a download may stand still once it has begun, in milliseconds. */
const STALL_MS = 60_000;

/** Beside Node.js itself: what Dockerfiles and health checks call, as far as this machine has it. Small, all of them. */
const TOOLS = ["sh", "bash", "env", "cat", "cp", "id", "ls", "mkdir", "sleep"];

/** What Alpine's and Go's images have and Node.js's has not: fakes of them, and the Dockerfile that adds them. */
const TOOLS_FOLDER = join(import.meta.dirname, "../base-image");
const TOOLS_LABEL = "hyperion.tools=air cp go wget";

/**
 * Makes {@link BASE_IMAGE} in the engine that `env` points at.
 *
 * @param env environment of the `docker` command: PATH, DOCKER_HOST, DOCKER_CONFIG
 * @param log told what is being done; silent when the image is there already
 * @throws when `docker` cannot be run, its engine does not answer, or the machine's Node.js cannot be copied
 */
export async function ensureBaseImage(
  env: NodeJS.ProcessEnv,
  log: Progress,
): Promise<"present" | "pulled" | "assembled"> {
  if (await isPresent(env)) return "present";

  log(`${BASE_IMAGE}: pulling ${UPSTREAM}`);
  if (await pull(env)) {
    await run("docker", ["build", "--quiet", "--tag", BASE_IMAGE, TOOLS_FOLDER], { env });
    return "pulled";
  }

  log(`${BASE_IMAGE}: ${UPSTREAM} cannot be pulled here, assembling it from Node.js ${process.version}`);
  const scratch = await mkdtemp(join(tmpdir(), "hyperion-base-image-"));
  try {
    const root = join(scratch, "root");
    await fillRoot(root);
    await importRoot(root, join(scratch, "root.tar"), env);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return "assembled";
}

/** Asked by a listing, which fails only when the engine does not answer. */
async function isPresent(env: NodeJS.ProcessEnv): Promise<boolean> {
  const filter = ["--filter", `label=${TOOLS_LABEL}`];
  const { stdout } = await run("docker", ["image", "ls", "--quiet", ...filter, BASE_IMAGE], { env });
  return stdout.trim() !== "";
}

/** Pulls the upstream image; false when the registry refuses, does not answer, or the download stands still. */
function pull(env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const pulling = spawn("docker", ["pull", UPSTREAM], { env, stdio: ["ignore", "pipe", "ignore"] });
    const giveUp = () => pulling.kill();
    let timer = setTimeout(giveUp, ANSWER_MS);
    // The first line comes only once the registry has answered; from then on every line is progress.
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

/** Copies Node.js, a shell and their libraries into an empty folder, laid out as a Linux root. */
async function fillRoot(root: string): Promise<void> {
  const node = await realpath(process.execPath);
  const programs = new Map([["/usr/local/bin/node", node]]);
  for (const tool of TOOLS) {
    const path = findCommands(tool)[0];
    if (path !== undefined) programs.set(`/bin/${tool}`, await realpath(path));
  }

  const copies = new Map(programs);
  for (const program of programs.values()) {
    for (const library of await librariesOf(program)) copies.set(library, library);
  }
  for (const library of nameServiceLibraries(copies.keys())) copies.set(library, library);

  for (const [target, source] of copies) await copyInto(root, target, source);

  for (const tool of ["wget", "go", "air"])
    await copyInto(root, `/usr/local/bin/${tool}`, join(TOOLS_FOLDER, tool));

  // Scripts start with `#!/usr/bin/env node`.
  await mkdir(join(root, "usr/bin"), { recursive: true });
  await symlink("/bin/env", join(root, "usr/bin/env"));

  await mkdir(join(root, "etc"), { recursive: true });
  // The same user as in Docker Hub's image.
  await writeFile(
    join(root, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n",
  );
  await writeFile(join(root, "etc/group"), "root:x:0:\nnode:x:1000:\n");
  await writeFile(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
  for (const folder of ["root", "home/node", "tmp"]) await mkdir(join(root, folder), { recursive: true });
  // Whatever the umask was: everybody reads, and everybody writes to /tmp.
  await run("chmod", ["-R", "a=rX,u+w", root]);
  await chmod(join(root, "tmp"), 0o1777);
}

/** The shared libraries of a program, its loader included, by `ldd`, which fails on a static one. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run("ldd", [program]).catch(() => ({ stdout: "" }));
  return stdout.split("\n").flatMap((line) => /(?:=> |^\s*)(\/\S+)/.exec(line)?.[1] ?? []);
}

/** glibc opens these by name when it resolves a host, so that `ldd` does not list them. */
function nameServiceLibraries(copied: Iterable<string>): string[] {
  const libc = [...copied].find((path) => basename(path) === "libc.so.6");
  if (libc === undefined) return [];
  const candidates = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];
  return candidates.map((name) => join(dirname(libc), name)).filter((path) => existsSync(path));
}

async function copyInto(root: string, target: string, source: string): Promise<void> {
  const path = join(root, target);
  await mkdir(dirname(path), { recursive: true });
  await copyFile(await realpath(source), path);
}

/** Hands the folder to the engine as one layer, with the same names, owners and times on every run. */
async function importRoot(root: string, tarball: string, env: NodeJS.ProcessEnv): Promise<void> {
  const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await run("tar", ["--create", `--file=${tarball}`, ...same, `--directory=${root}`, "."]);

  const changes = [
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    `ENV NODE_VERSION=${process.versions.node}`,
    `LABEL ${TOOLS_LABEL.replace("=", '="')}"`,
    'CMD ["node"]',
  ].flatMap((change) => ["--change", change]);
  await run("docker", ["import", ...changes, tarball, BASE_IMAGE], { env });
}

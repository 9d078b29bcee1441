import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Emulator, startEmulator } from "../server.ts";
import { registryConfigYaml } from "../support/registry/config.ts";
import { mintAccessToken, MAINTAINER } from "../../lib/tokens.ts";
import { sandboxPaths } from "../../lib/paths.ts";
import { claimPorts } from "../../lib/ports.ts";
import { type Answer, send } from "../../lib/http.ts";
import { waitUntil } from "../../lib/processes.ts";
import { accepts } from "../../lib/supervision.ts";
import { ensureKeys } from "../../lib/keys.ts";

/** The emulated APIs and a real registry, on loopback. */
export interface Servers {
  emulator: Emulator;
  registryPort: number;
  /** Pushes an image of one layer; returns its digest. */
  push(image: string, tag: string, layer: string): Promise<string>;
  /** Pushes an index of images, one for each architecture; returns its digest. */
  pushIndex(image: string, tag: string, children: Readonly<Record<string, string>>): Promise<string>;
  /** A manifest by tag or digest. */
  manifest(image: string, reference: string): Promise<{ digest: string; manifest: unknown }>;
  stop(): Promise<void>;
}

/** @param dir an existing folder. */
export async function startServers(dir: string): Promise<Servers> {
  await ensureKeys(sandboxPaths(dir));
  const [registryPort = 0] = await claimPorts(dir, 1);
  const emulator = await startEmulator({ sandboxDir: dir, port: 0, registryPort });
  const files = sandboxPaths(dir);
  mkdirSync(files.registry, { recursive: true });
  const config = join(dir, "registry.yml");
  const yaml = registryConfigYaml({
    registryPort,
    emulatorPort: emulator.port,
    storage: files.registry,
    certificate: files.certificate,
    key: files.key,
    httpSecret: "a test's own",
  });
  writeFileSync(config, yaml);
  const registry = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  await listening(registryPort);
  const target = { dir, emulatorUrl: emulator.url.replace(/\/$/, ""), registryPort };
  return {
    emulator,
    registryPort,
    push: (image, tag, layer) => pushImage(target, image, tag, [layer]),
    pushIndex: (...args) => pushIndex(target, ...args),
    manifest: async (image, reference) => {
      const ask = await client(target, image);
      const { body } = await ask("GET", `/v2/${image}/manifests/${reference}`, "", {
        accept: `${MANIFEST}, ${INDEX}`,
      });
      return { digest: digestOf(body), manifest: JSON.parse(body) as unknown };
    },
    stop: async () => {
      await end(registry);
      await emulator.close();
    },
  };
}

export async function listening(port: number): Promise<void> {
  if (!(await waitUntil(() => accepts(port), 10_000))) throw new Error(`nothing listens on port ${port}`);
}

/** Ends a process and waits for its exit. */
export async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}

const digestOf = (content: string): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

export interface Target {
  /** Folder of the sandbox, which has the keys for access tokens. */
  dir: string;
  emulatorUrl: string;
  registryPort: number;
}

/** Sends requests about an image to the registry, with the maintainer's login. */
async function client({ dir, emulatorUrl, registryPort }: Target, image: string) {
  const basic = Buffer.from(`oauth2accesstoken:${await mintAccessToken(dir, MAINTAINER)}`).toString("base64");
  const scope = `service=localhost:${registryPort}&scope=repository:${image}:pull,push`;
  const answer = await fetch(`${emulatorUrl}/token?${scope}`, {
    headers: { authorization: `Basic ${basic}` },
  });
  const { token } = (await answer.json()) as { token: string };
  const authorization = `Bearer ${token}`;
  const ca = readFileSync(sandboxPaths(dir).certificate);
  return async (
    method: string,
    path: string,
    body = "",
    more: Record<string, string> = {},
  ): Promise<Answer> => {
    const headers = { authorization, ...more };
    const url = new URL(path, `https://127.0.0.1:${registryPort}`);
    const answered = await send({ method, url, ca, headers, body });
    if (answered.status > 202) throw new Error(`the registry answered ${answered.status}: ${answered.body}`);
    return answered;
  };
}

/** Pushes an image with layers of these contents; returns its digest. */
export async function pushImage(
  target: Target,
  image: string,
  tag: string,
  layers: readonly string[],
): Promise<string> {
  const ask = await client(target, image);
  const upload = async (content: string): Promise<{ digest: string; size: number }> => {
    const digest = digestOf(content);
    // Answered by 201 if the repository has it.
    const mount = `/v2/${image}/blobs/uploads/?mount=${digest}&from=${image}`;
    const { status, headers } = await ask("POST", mount);
    if (status !== 201) await ask("PUT", `${headers.location ?? ""}&digest=${digest}`, content);
    return { digest, size: content.length };
  };
  const configuration = JSON.stringify({
    created: "2025-01-10T12:00:00Z",
    architecture: "amd64",
    os: "linux",
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: "application/vnd.docker.container.image.v1+json", ...(await upload(configuration)) },
    layers: await Promise.all(
      layers.map(async (layer) => ({
        mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ...(await upload(layer)),
      })),
    ),
  });
  await ask("PUT", `/v2/${image}/manifests/${tag}`, manifest, { "content-type": MANIFEST });
  return digestOf(manifest);
}

const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX = "application/vnd.docker.distribution.manifest.list.v2+json";

/** Pushes an index of images, one for each architecture; returns its digest. */
export async function pushIndex(
  target: Target,
  image: string,
  tag: string,
  children: Readonly<Record<string, string>>,
): Promise<string> {
  const manifests = Object.entries(children).map(([architecture, digest]) => ({
    mediaType: MANIFEST,
    digest,
    size: 1,
    platform: { architecture, os: "linux" },
  }));
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
  const ask = await client(target, image);
  await ask("PUT", `/v2/${image}/manifests/${tag}`, index, { "content-type": INDEX });
  return digestOf(index);
}

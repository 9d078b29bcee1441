import { readFileSync } from "node:fs";
import { messageOf } from "../../../../problems/wording.ts";
import { type Answer, send } from "../../../lib/http.ts";
import { sandboxPaths } from "../../../lib/paths.ts";
import { ApiError, notFound } from "../http/errors.ts";
import { registryService } from "./config.ts";
import type { Manifest, RegistryStorage } from "./storage.ts";
import { type Access, REGISTRY_TOKEN_SECONDS, registryToken } from "./jwt.ts";

const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** The sandbox's registry, asked over HTTPS with a token of the emulator's own. */
export class Registry {
  private readonly sandboxDir: string;
  private readonly port: number;
  private readonly storage: RegistryStorage;
  private ca: string | undefined;
  private readonly tokens = new Map<string, { token: Promise<string>; until: number }>();

  constructor(sandboxDir: string, port: number, storage: RegistryStorage) {
    this.sandboxDir = sandboxDir;
    this.port = port;
    this.storage = storage;
  }

  private certificate(): string {
    return (this.ca ??= readFileSync(sandboxPaths(this.sandboxDir).certificate, "utf8"));
  }

  /** A token for this access, signed once and used for half of its time: signing takes longer than a request. */
  private token(access: Access): Promise<string> {
    const key = JSON.stringify(access);
    const now = Date.now();
    const kept = this.tokens.get(key);
    if (kept && kept.until > now) return kept.token;
    const service = registryService(this.port);
    const token = registryToken(this.sandboxDir, service, "sandbox", [access], new Date(now));
    this.tokens.set(key, { token, until: now + (REGISTRY_TOKEN_SECONDS * 1000) / 2 });
    return token;
  }

  private async ask(
    method: string,
    path: string,
    access: Access,
    body?: { type: string; text: string },
  ): Promise<Answer> {
    const ca = this.certificate();
    const token = await this.token(access);
    const headers = {
      authorization: `Bearer ${token}`,
      accept: MANIFEST_TYPES,
      ...(body && { "content-type": body.type }),
    };
    const url = new URL(path, `https://127.0.0.1:${this.port}`);
    const request = { method, url, headers, ca, seconds: 10, ...(body && { body: body.text }) };
    return send(request).catch((error: unknown) => {
      throw new ApiError(
        "UNAVAILABLE",
        `The sandbox's registry (localhost:${this.port}) does not answer: ${messageOf(error)}`,
      );
    });
  }

  private askImage(method: string, image: string, path: string, actions = ["pull"]): Promise<Answer> {
    return this.ask(method, `/v2/${image}/${path}`, { type: "repository", name: image, actions });
  }

  /** All items of a list that the registry gives in pages (`Link: <...>; rel="next"`). */
  private async list<T>(path: string, access: Access, items: (body: string) => T[]): Promise<T[]> {
    const found: T[] = [];
    for (let next: string | undefined = path; next !== undefined;) {
      const answer: Answer = await this.ask("GET", next, access);
      if (answer.status === 404) break;
      if (answer.status !== 200) throw this.unexpected(answer);
      found.push(...items(answer.body));
      next = /<(.+)>/.exec(String(answer.headers["link"] ?? ""))?.[1];
    }
    return found;
  }

  private unexpected(answer: Answer): ApiError {
    return new ApiError(
      "INTERNAL",
      `The sandbox's registry answered ${answer.status}: ${answer.body.trim()}`,
    );
  }

  /** Names of all images, `PROJECT/REPOSITORY/IMAGE`, that start with `prefix`. */
  async images(prefix: string): Promise<string[]> {
    const access = { type: "registry", name: "catalog", actions: ["*"] };
    const names = await this.list(
      "/v2/_catalog?n=1000",
      access,
      (body) => (JSON.parse(body) as { repositories: string[] | null }).repositories ?? [],
    );
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  /** A manifest and its type. Throws 404 where there is none. */
  async manifest(
    image: string,
    digest: string,
  ): Promise<{ manifest: Manifest; mediaType: string; size: number }> {
    const answer = await this.askImage("GET", image, `manifests/${digest}`);
    if (answer.status === 404) throw notFound();
    if (answer.status !== 200) throw this.unexpected(answer);
    return {
      manifest: JSON.parse(answer.body) as Manifest,
      mediaType: String(answer.headers["content-type"]),
      size: Buffer.byteLength(answer.body),
    };
  }

  /** Puts a tag on a version. Throws 404 where there is none. */
  async tag(image: string, digest: string, tag: string): Promise<void> {
    const text = await this.storage.manifest(image, digest);
    if (text === undefined) throw notFound();
    const { mediaType, manifests } = JSON.parse(text) as Manifest;
    const kind = manifests ? "index" : "manifest";
    const access = { type: "repository", name: image, actions: ["pull", "push"] };
    const body = { type: mediaType ?? `application/vnd.oci.image.${kind}.v1+json`, text };
    const answer = await this.ask("PUT", `/v2/${image}/manifests/${tag}`, access, body);
    if (answer.status !== 201) throw this.unexpected(answer);
  }

  /** An image's configuration: when it was built. */
  async config(image: string, digest: string): Promise<{ created?: string }> {
    const answer = await this.askImage("GET", image, `blobs/${digest}`);
    return answer.status === 200 ? (JSON.parse(answer.body) as { created?: string }) : {};
  }

  /** Deletes a manifest with all its tags. Throws 404 where there is none. */
  async deleteManifest(image: string, digest: string): Promise<void> {
    const answer = await this.askImage("DELETE", image, `manifests/${digest}`, ["pull", "delete"]);
    if (answer.status === 404) throw notFound();
    if (answer.status !== 202) throw this.unexpected(answer);
  }
}

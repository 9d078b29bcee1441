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

/** A client of the sandbox's registry, with tokens that the emulator signs. */
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

  /** A token, reused for half of its lifetime because signing takes longer than a request. */
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

  private async request(
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
    const options = { method, url, headers, ca, seconds: 10, ...(body && { body: body.text }) };
    return send(options).catch((error: unknown) => {
      throw new ApiError(
        "UNAVAILABLE",
        `The sandbox's registry (localhost:${this.port}) does not answer: ${messageOf(error)}`,
      );
    });
  }

  private requestImage(method: string, image: string, path: string, actions = ["pull"]): Promise<Answer> {
    return this.request(method, `/v2/${image}/${path}`, { type: "repository", name: image, actions });
  }

  /** All items of a paginated list (`Link: <...>; rel="next"`). */
  private async list<T>(path: string, access: Access, items: (body: string) => T[]): Promise<T[]> {
    const found: T[] = [];
    for (let next: string | undefined = path; next !== undefined;) {
      const answer: Answer = await this.request("GET", next, access);
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

  /** Names (`PROJECT/REPOSITORY/IMAGE`) of the images that start with `prefix`. */
  async images(prefix: string): Promise<string[]> {
    const access = { type: "registry", name: "catalog", actions: ["*"] };
    const names = await this.list(
      "/v2/_catalog?n=1000",
      access,
      (body) => (JSON.parse(body) as { repositories: string[] | null }).repositories ?? [],
    );
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  /** @throws ApiError 404 */
  async manifest(
    image: string,
    digest: string,
  ): Promise<{ manifest: Manifest; mediaType: string; size: number }> {
    const answer = await this.requestImage("GET", image, `manifests/${digest}`);
    if (answer.status === 404) throw notFound();
    if (answer.status !== 200) throw this.unexpected(answer);
    return {
      manifest: JSON.parse(answer.body) as Manifest,
      mediaType: String(answer.headers["content-type"]),
      size: Buffer.byteLength(answer.body),
    };
  }

  /** Sets a tag to a version. @throws ApiError 404 */
  async tag(image: string, digest: string, tag: string): Promise<void> {
    const text = await this.storage.manifest(image, digest);
    if (text === undefined) throw notFound();
    const { mediaType, manifests } = JSON.parse(text) as Manifest;
    const kind = manifests ? "index" : "manifest";
    const access = { type: "repository", name: image, actions: ["pull", "push"] };
    const body = { type: mediaType ?? `application/vnd.oci.image.${kind}.v1+json`, text };
    const answer = await this.request("PUT", `/v2/${image}/manifests/${tag}`, access, body);
    if (answer.status !== 201) throw this.unexpected(answer);
  }

  /** An image's configuration. */
  async config(image: string, digest: string): Promise<{ created?: string }> {
    const answer = await this.requestImage("GET", image, `blobs/${digest}`);
    return answer.status === 200 ? (JSON.parse(answer.body) as { created?: string }) : {};
  }

  /** Deletes a manifest and its tags. @throws ApiError 404 */
  async deleteManifest(image: string, digest: string): Promise<void> {
    const answer = await this.requestImage("DELETE", image, `manifests/${digest}`, ["pull", "delete"]);
    if (answer.status === 404) throw notFound();
    if (answer.status !== 202) throw this.unexpected(answer);
  }
}

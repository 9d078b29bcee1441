import { createHash } from "node:crypto";
import { vi } from "vitest";

const HOST = "us-central1-docker.pkg.dev";
const PATH = "production-471918/hyperion-public";

export const REGISTRY_URL = `${HOST}/${PATH}`;

interface Manifest {
  mediaType: string;
  bytes: Uint8Array;
}

/** Replaces `fetch` for a registry and its token server until the test ends. Other hosts are not affected. */
export class FakeRegistry {
  /** `METHOD image/manifests/reference` or `TOKEN scope`. */
  readonly requests: string[] = [];
  /** Authorization headers at the token server. */
  readonly logins: (string | null)[] = [];
  /** Error statuses for the next requests about images. */
  readonly failures: number[] = [];
  readonly #manifests = new Map<string, Manifest>();
  readonly #tags = new Map<string, string>();

  constructor() {
    const real = fetch;
    vi.stubGlobal("fetch", (input: string | URL, init: RequestInit = {}) => {
      const url = new URL(input);
      return url.host === HOST ? Promise.resolve(this.#answer(url, init)) : real(input, init);
    });
  }

  /** Adds a manifest; returns its digest. */
  add(image: string, mediaType: string, manifest: object, tag?: string): string {
    return this.#put(image, tag, { mediaType, bytes: Buffer.from(JSON.stringify(manifest)) });
  }

  /** The digest of a tag. */
  tag(image: string, tag: string): string | undefined {
    return this.#tags.get(`${image}:${tag}`);
  }

  /** A manifest as pushed. */
  manifest(image: string, digest: string): { mediaType: string; text: string } | undefined {
    const found = this.#manifests.get(`${image}@${digest}`);
    return found && { mediaType: found.mediaType, text: Buffer.from(found.bytes).toString() };
  }

  #put(image: string, tag: string | undefined, manifest: Manifest): string {
    const digest = `sha256:${createHash("sha256").update(manifest.bytes).digest("hex")}`;
    this.#manifests.set(`${image}@${digest}`, manifest);
    if (tag !== undefined) this.#tags.set(`${image}:${tag}`, digest);
    return digest;
  }

  #answer(url: URL, { method = "GET", headers, body }: RequestInit): Response {
    const authorization = new Headers(headers).get("authorization");
    if (url.pathname === "/v2/token") {
      const scope = url.searchParams.get("scope") ?? "";
      this.requests.push(`TOKEN ${scope}`);
      this.logins.push(authorization);
      return Response.json({ token: scope });
    }
    const [image = "", what = "", reference = ""] = url.pathname.replace(`/v2/${PATH}/`, "").split("/");
    this.requests.push(`${method} ${image}/${what}/${reference}`);
    const failure = this.failures.shift();
    if (failure !== undefined) return new Response(null, { status: failure });
    const scope = `repository:${PATH}/${image}:${method === "PUT" ? "push,pull" : "pull"}`;
    if (authorization !== `Bearer ${scope}`) {
      const challenge = `Bearer realm="https://${HOST}/v2/token",service="${HOST}",scope="${scope}"`;
      return new Response(null, { status: 401, headers: { "WWW-Authenticate": challenge } });
    }
    if (what === "tags") {
      const of = `${image}:`;
      const tags = [...this.#tags.keys()].filter((key) => key.startsWith(of));
      if (tags.length === 0) return new Response(null, { status: 404 });
      return Response.json({ name: `${PATH}/${image}`, tags: tags.map((key) => key.slice(of.length)) });
    }
    if (method === "PUT") {
      const mediaType = new Headers(headers).get("content-type") ?? "";
      const isDigest = reference.startsWith("sha256:");
      const digest = this.#put(image, isDigest ? undefined : reference, {
        mediaType,
        bytes: body as Uint8Array,
      });
      return new Response(null, { status: isDigest && digest !== reference ? 400 : 201 });
    }
    const digest = this.#tags.get(`${image}:${reference}`) ?? reference;
    const found = this.#manifests.get(`${image}@${digest}`);
    if (found === undefined) return new Response(null, { status: 404 });
    return new Response(method === "HEAD" ? null : Buffer.from(found.bytes), {
      headers: { "Content-Type": found.mediaType, "Docker-Content-Digest": digest },
    });
  }
}

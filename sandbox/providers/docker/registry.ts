import { type Answer, send } from "../../lib/http.ts";
import { passingStatus, retried } from "../retry.ts";
import type { RegistryAuth } from "./credentials.ts";
import type { ImageName } from "./image-name.ts";

const manifestTypes = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
].join(", ");

/**
 * Waits, in milliseconds, before a registry is asked again. Distribution's folder of files answers 500 for a moment
 * while other tags of the same digest are being pushed.
 */
const waits = [200, 500, 1000, 2000];

/** A registry's answer that is not the one hoped for. */
class RegistryError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Asks a registry, over HTTPS only, as the real plugin does. */
export class Registry {
  private readonly auth: RegistryAuth;
  private readonly signal: AbortSignal;

  constructor(auth: RegistryAuth, signal: AbortSignal) {
    this.auth = auth;
    this.signal = signal;
  }

  /** The digest that a tag has in the registry. */
  async digest(image: ImageName): Promise<string> {
    const answer = await retried(
      () => this.manifest(image),
      (error) => error instanceof RegistryError && passingStatus.has(error.status),
      waits,
      this.signal,
    );
    const digest = answer.headers["docker-content-digest"];
    if (typeof digest === "string") return digest;
    throw new RegistryError(
      answer.status,
      `the registry at ${image.host} told no digest of ${image.repository}`,
    );
  }

  private async manifest(image: ImageName): Promise<Answer> {
    const url = new URL(`https://${image.host}/v2/${image.repository}/manifests/${image.reference}`);
    const headers = { accept: manifestTypes };
    let answer = await this.send("HEAD", url, headers);
    if (answer.status === 401) {
      const authorization = await this.authorize(answer.headers["www-authenticate"] ?? "", image);
      answer = await this.send("HEAD", url, { ...headers, authorization });
    }
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new RegistryError(
      answer.status,
      `got bad response from registry ${image.host} for ${image.repository}:${image.reference}: ${answer.status}`,
    );
  }

  private async authorize(challenge: string, image: ImageName): Promise<string> {
    const { username, password } = this.auth;
    const basic =
      username === "" ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const part = (name: string): string => new RegExp(`${name}="([^"]*)"`, "i").exec(challenge)?.[1] ?? "";
    const realm = part("realm");
    if (!/^bearer/i.test(challenge) || realm === "")
      throw new RegistryError(401, `bad credentials for ${image.host}`);
    const url = new URL(realm);
    if (part("service") !== "") url.searchParams.set("service", part("service"));
    url.searchParams.set("scope", `repository:${image.repository}:pull`);
    const answer = await this.send("GET", url, basic === undefined ? {} : { authorization: basic });
    if (answer.status !== 200) {
      throw new RegistryError(answer.status, `the token server of ${image.host} answered ${answer.status}`);
    }
    const { token, access_token: accessToken } = JSON.parse(answer.body) as {
      token?: string;
      access_token?: string;
    };
    return `Bearer ${token ?? accessToken ?? ""}`;
  }

  private send(method: string, url: URL, headers: Record<string, string>): Promise<Answer> {
    return send({ method, url, headers, seconds: 60, signal: this.signal });
  }
}

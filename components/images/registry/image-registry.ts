import { accessToken } from "../../../google/access-token.ts";
import { retryWhile } from "../../../google/retry.ts";
import { problemsError } from "../../../problems/problem.ts";
import { messageOf } from "../../../problems/wording.ts";

/** A login at a registry. It is secret: never print or store it. */
export interface Credentials {
  username: string;
  /** Empty if Docker has a token instead of a password. */
  password: string;
}

export interface RegistryRequest {
  /** Default `GET`. */
  method?: "GET" | "HEAD" | "PUT";
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array<ArrayBuffer>;
}

const TIMEOUT_MS = 20_000;

/** Waits before the second and third try after a temporary error. */
const WAITS_MS = [500, 2000];
const RETRIED: ReadonlySet<number> = new Set([429, 500, 502, 503]);

/**
 * Client for a repository, by the registry's protocol (OCI distribution specification) and Docker's token authentication
 * (https://distribution.github.io/distribution/spec/auth/token/).
 */
export class ImageRegistry {
  /** URL without a scheme: `us-central1-docker.pkg.dev/my-project/my-repository`. */
  readonly url: string;
  readonly #credentials: () => Promise<Credentials | undefined>;
  readonly #tokens = new Map<string, Promise<string>>();

  /** @param credentials called if the registry requires a login. */
  constructor(url: string, credentials: () => Promise<Credentials | undefined>) {
    this.url = url;
    this.#credentials = credentials;
  }

  /**
   * Sends a request about an image.
   *
   * @param path below the image, such as `manifests/latest`.
   * @returns the answer, whatever its status.
   * @throws one error if the registry does not answer.
   */
  async request(image: string, path: string, request: RegistryRequest = {}): Promise<Response> {
    return retryWhile(
      WAITS_MS,
      ({ status }) => RETRIED.has(status),
      () => this.#authorized(image, path, request),
    );
  }

  async #authorized(image: string, path: string, request: RegistryRequest): Promise<Response> {
    const scope = `${image} ${request.method === "PUT" ? "push" : "pull"}`;
    const known = this.#tokens.get(scope);
    const answer = await this.#send(image, path, request, await known);
    if (answer.status !== 401 || known !== undefined) return answer;
    const challenge = answer.headers.get("www-authenticate");
    if (challenge === null) return answer;
    // Concurrent requests share one token.
    const token = this.#tokens.get(scope) ?? this.#askToken(challenge);
    this.#tokens.set(scope, token);
    return this.#send(image, path, request, await token);
  }

  async #send(
    image: string,
    path: string,
    { method = "GET", headers = {}, body }: RegistryRequest,
    token?: string,
  ): Promise<Response> {
    const [host = "", ...folders] = this.url.split("/");
    const url = `https://${host}/v2/${[...folders, image, path].join("/")}`;
    try {
      return await fetch(url, {
        method,
        headers: { ...headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
        ...(body !== undefined && { body }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #askToken(challenge: string): Promise<string> {
    const part = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";
    const query = new URLSearchParams({ service: part("service"), scope: part("scope") });
    const login = await this.#credentials();
    const basic = login && Buffer.from(`${login.username}:${login.password}`).toString("base64");
    try {
      const answer = await fetch(`${part("realm")}?${query.toString()}`, {
        headers: basic === undefined ? {} : { Authorization: `Basic ${basic}` },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const { token, access_token } = (await answer.json()) as { token?: string; access_token?: string };
      return token ?? access_token ?? "";
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): Error {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
    return problemsError(
      [
        {
          where: this.url,
          found: `the registry did not answer (${[messageOf(error), cause].filter(Boolean).join(": ")})`,
          allowed: "a registry that answers",
          fix: "the same command again, once it does",
        },
      ],
      "what was set stays",
    );
  }
}

/** Returns a client for an Artifact Registry URL, with the gcp plugin's login; outside a Pulumi program, with the caller's. */
export function googleRegistry(url: string): ImageRegistry {
  return new ImageRegistry(url, async () => ({
    username: "oauth2accesstoken",
    password: await accessToken(),
  }));
}

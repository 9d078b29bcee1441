import type { GoogleAuth } from "google-auth-library";
import { setTimeout as sleep } from "node:timers/promises";
import { NoAnswer, send } from "../../lib/http.ts";
import { isRecord, type Properties, text } from "../rpc/values.ts";
import { googleError, GoogleError } from "./errors.ts";
import { type Api, byClientLibrary, type Settings } from "./settings.ts";

/** One request. `path` starts after the API's version: `projects/...`. */
export interface GoogleRequest {
  api: Api;
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string>;
  body?: Properties;
  signal: AbortSignal;
}

/** Waits before each retry, in units of {@link GoogleClient.unit}. */
const backOff = [1, 2, 4, 8, 16];

/** Calls Google's APIs as the real plugin does: bearer token, `alt=json`, retries with back-off. */
export class GoogleClient {
  readonly settings: Settings;
  private readonly unit;
  private auth: GoogleAuth | undefined;

  /** @param unit first wait in milliseconds. */
  constructor(settings: Settings, unit = Number(process.env["HYPERION_FAKE_PROVIDER_BACKOFF_MS"] ?? 1000)) {
    this.settings = settings;
    this.unit = unit;
  }

  /** The project of a resource: its own, or the provider's. */
  project(inputs: Properties): string {
    const project = text(inputs, "project") || this.settings.project;
    if (project !== "") return project;
    throw new Error(
      "project: required field is not set (set it with `pulumi config set gcp:project PROJECT` or GOOGLE_PROJECT)",
    );
  }

  /**
   * @returns the answer's body; {} if it is empty.
   * @throws GoogleError after the last attempt.
   */
  async send(request: GoogleRequest): Promise<Properties> {
    for (const wait of backOff) {
      try {
        return await this.sendOnce(request);
      } catch (error) {
        if (request.signal.aborted || !isTransient(error)) throw error;
        await this.pause(request.signal, wait);
      }
    }
    return this.sendOnce(request);
  }

  /** Empty without credentials. */
  async accessToken(): Promise<string> {
    const { accessToken, credentialsFile } = this.settings;
    if (accessToken !== "" || credentialsFile === "") return accessToken;
    const { GoogleAuth } = await import("google-auth-library");
    const scopes = "https://www.googleapis.com/auth/cloud-platform";
    // oxlint-disable-next-line typescript/no-deprecated -- deprecated for files that others provide; this one is the user's
    this.auth ??= new GoogleAuth({ keyFilename: credentialsFile, scopes });
    return (await this.auth.getAccessToken()) ?? "";
  }

  /** Waits before a retry or a poll. */
  async pause(signal: AbortSignal, units = 1): Promise<void> {
    await sleep(units * this.unit, undefined, { signal });
  }

  private async sendOnce(request: GoogleRequest): Promise<Properties> {
    const accessToken = await this.accessToken();
    if (accessToken === "") {
      throw new Error(
        "could not find credentials: the sandbox's fake provider for the gcp plugin takes an access token from " +
          "GOOGLE_OAUTH_ACCESS_TOKEN, or the credentials that GOOGLE_APPLICATION_CREDENTIALS names, and nothing else; " +
          "run the command through `npm run sandbox -- pulumi ...`, or load `npm run sandbox -- env` into the shell",
      );
    }
    const url = new URL(this.settings.bases[request.api] + request.path);
    url.searchParams.set("alt", "json");
    if (byClientLibrary(request.api)) url.searchParams.set("prettyPrint", "false");
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    const { status, body } = await send({
      url,
      method: request.method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        "user-agent": "hyperion-fake-provider/gcp",
        ...(this.settings.quotaProject !== "" && { "x-goog-user-project": this.settings.quotaProject }),
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      seconds: 120,
      signal: request.signal,
    });
    if (status < 200 || status >= 300) throw googleError(status, body);
    if (body === "") return {};
    const parsed: unknown = JSON.parse(body);
    return isRecord(parsed) ? parsed : {};
  }
}

function isTransient(error: unknown): boolean {
  return (
    error instanceof NoAnswer || (error instanceof GoogleError && [429, 500, 502, 503].includes(error.code))
  );
}

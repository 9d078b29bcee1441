import * as pulumi from "@pulumi/pulumi";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { onTestFinished, vi } from "vitest";
import { listen } from "./listen.ts";

/** An answer with a JSON body, or with any text. */
interface FakeAnswer {
  status: number;
  body?: unknown;
  text?: string;
}

/** A request. */
interface Asked {
  /** `METHOD path` */
  what: string;
  headers: IncomingHttpHeaders;
  body: Promise<string>;
}

/** Answers by `METHOD path`. */
export type Answers = Record<string, FakeAnswer | ((body: string) => FakeAnswer)>;

const VARIABLES = [
  "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT",
  "GOOGLE_IAM_BETA_CUSTOM_ENDPOINT",
  "GOOGLE_ORG_POLICY_CUSTOM_ENDPOINT",
  "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT",
];

/** Starts a server with these answers, else 404. The endpoint variables point at it until the test ends. */
export async function fakeGoogle(answers: Answers): Promise<Asked[]> {
  const requests: Asked[] = [];
  const server = createServer((request, response) => {
    const what = `${request.method ?? ""} ${request.url ?? ""}`;
    const sent = textOf(request);
    requests.push({ what, headers: request.headers, body: sent });
    const answer = answers[what] ?? { status: 404 };
    void sent.then((requestBody) => {
      const {
        status,
        body = {},
        text = JSON.stringify(body),
      } = typeof answer === "function" ? answer(requestBody) : answer;
      response.writeHead(status, { "Content-Type": "application/json" }).end(text);
    });
  });
  onTestFinished(() => void server.close());
  const port = await listen(server);
  for (const variable of VARIABLES) vi.stubEnv(variable, `http://127.0.0.1:${port}/`);
  return requests;
}

/** The tags of each image, with their digests. */
export type KeptTags = Record<string, Record<string, string>>;

/** Artifact Registry's methods for tags, which change `tags`. Other images do not exist. */
export function keptTags(
  tags: KeptTags,
  repository = "projects/production-471918/locations/us-central1/repositories/hyperion-public",
): Answers {
  const answer = (what: string, body: string): FakeAnswer => {
    const [, image = "", moved, created] =
      /^\w+ [^?]*\/packages\/([^/]+)\/tags(?:\/([^?]+))?(?:\?tagId=(.+)|\?.*)?$/.exec(what) ?? [];
    const ofImage = tags[image];
    const name = `${repository}/packages/${image}`;
    if (ofImage === undefined || !what.includes(` /${name}/`)) return { status: 404 };
    const tag = created ?? moved;
    if (tag === undefined) {
      const list = Object.entries(ofImage).map(([one, digest]) => ({
        name: `${name}/tags/${one}`,
        version: `${name}/versions/${digest}`,
      }));
      return { status: 200, body: { tags: list } };
    }
    if ((created !== undefined) === tag in ofImage) return { status: created === undefined ? 404 : 409 };
    ofImage[tag] = (JSON.parse(body) as { version: string }).version.replace(/^.*\//, "");
    return { status: 200 };
  };
  return new Proxy<Answers>({}, { get: (_, what) => (body: string) => answer(String(what), body) });
}

/** Points the endpoint variables at a closed port. */
export function refuseConnections(): void {
  for (const variable of VARIABLES) vi.stubEnv(variable, "http://127.0.0.1:9/");
}

/** Records the program's log messages by severity. */
export function logged(): { warn: string[]; info: string[] } {
  const lines: { warn: string[]; info: string[] } = { warn: [], info: [] };
  for (const severity of ["warn", "info"] as const) {
    vi.spyOn(pulumi.log, severity).mockImplementation((message) => {
      lines[severity].push(message);
      return Promise.resolve();
    });
  }
  return lines;
}

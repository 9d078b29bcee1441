import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, it, test } from "vitest";
import { listen } from "../test/support/listen.ts";
import { useShell } from "../test/support/shell.ts";

const shell = useShell();
let server: Server;
let address: string;
/** The digest of each tag, by image. */
let tags: Record<string, Record<string, string>>;
/** The logins that may read. */
let readers: (string | undefined)[];

const digest = (of: string): string => `sha256:${of.padEnd(64, "0")}`;
const basic = (token: string): string =>
  `Basic ${Buffer.from(`oauth2accesstoken:${token}`).toString("base64")}`;

/** A registry with a token server, as the OCI distribution specification says; a page of its lists has four tags. */
function answer({ url = "", method, headers }: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(url, address);
  if (pathname === "/token") {
    const token = readers.includes(headers.authorization) ? "let-me-in" : "nobody";
    response.end(JSON.stringify({ token, expires_in: 300 }));
    return;
  }
  if (headers.authorization !== "Bearer let-me-in") {
    const challenge = `Bearer realm="${address}/token",service="registry",scope="repository:p/r:pull"`;
    response.writeHead(401, { "WWW-Authenticate": challenge }).end();
    return;
  }
  const [, image = "", reference = ""] =
    /^\/v2\/p\/r\/([^/]+)\/(?:tags\/|manifests\/)(.+)$/.exec(pathname) ?? [];
  const own = tags[image];
  if (own === undefined) {
    response.writeHead(404).end();
  } else if (reference === "list") {
    const names = Object.keys(own).sort();
    const from = names.indexOf(searchParams.get("last") ?? "") + 1;
    const page = names.slice(from, from + 4);
    const next = `</v2/p/r/${image}/tags/list?n=4&last=${page.at(-1) ?? ""}>; rel="next"`;
    response
      .writeHead(200, { ...(from + 4 < names.length && { Link: next }) })
      .end(JSON.stringify({ name: `p/r/${image}`, tags: page }, undefined, 1));
  } else {
    const found = own[reference];
    response.writeHead(
      found === undefined ? 404 : 200,
      found === undefined ? {} : { "Docker-Content-Digest": found },
    );
    response.end(method === "HEAD" ? undefined : "{}");
  }
}

beforeEach(async () => {
  for (const tool of ["curl", "base64"]) shell.pass(tool);
  tags = {};
  readers = [undefined, basic("gcloud's")];
  server = createServer(answer);
  address = `http://127.0.0.1:${await listen(server)}`;
});

afterEach(() => {
  server.close();
});

const list = async (
  registry = `${address}/p/r`,
): Promise<{ status: number | null; stdout: string; stderr: string }> =>
  shell.start("scripts/list-versions.sh", ["--registry", registry]).ended;

/** Publishes a version, with more tags, on every image. */
function publish(
  version: string,
  besides: readonly string[] = [],
  images = ["hyperion-ui", "hyperion-http-bridge"],
): void {
  for (const image of images)
    for (const tag of [version, `v${version}`, `build-${version}`, ...besides])
      (tags[image] ??= {})[tag] = digest(
        `${image === "hyperion-ui" ? "a" : "b"}${version.replaceAll(/[^0-9a-f]/g, "")}`,
      );
}

it("lists versions by precedence, with floating tags and withdrawals", async () => {
  publish("1.4.3", ["withdrawn-1.4.3"]);
  publish("1.4.2", ["1.4", "1", "latest"]);
  publish("1.4.10-rc.9");
  publish("1.4.10-rc.10", ["edge", "abc123f", "1234567", "2025-01-10", "build"]);
  publish("1.4.10-rc.10.x");
  publish("1.3.0", ["1.3"]);
  const { status, stdout, stderr } = await list();
  expect(stderr).toBe("");
  expect(stdout.split("\n").slice(1)).toEqual([
    "1.4.10-rc.10.x",
    "1.4.10-rc.10",
    "1.4.10-rc.9",
    "1.4.3           withdrawn",
    "1.4.2           1.4, 1, latest",
    "1.3.0           1.3",
    "",
  ]);
  expect(status).toBe(0);
});

it("reports an image without the version, and floating tags that differ", async () => {
  publish("1.0.0", ["1.0", "1"]);
  publish("1.0.1", ["latest"], ["hyperion-ui"]);
  Object.assign(tags["hyperion-http-bridge"] ?? {}, { "build-1.0.1": digest("c"), latest: digest("d") });
  const { stdout } = await list();
  expect(stdout.split("\n").slice(1)).toEqual([
    "1.0.1  latest of hyperion-ui, hyperion-http-bridge lacks it",
    "1.0.0  1.0, 1",
    "latest of hyperion-http-bridge points to no version",
    "",
  ]);
});

it("reports that there is no version", async () => {
  tags["hyperion-ui"] = { latest: digest("a"), build: digest("a") };
  const { status, stdout } = await list();
  expect([status, stdout]).toEqual([0, `No version is published at ${address}/p/r.\n`]);
});

it("uses gcloud's login if the registry is not public, and hides it from the process list", async () => {
  publish("1.0.0");
  readers = [basic("gcloud's")];
  shell.fake("gcloud", 'record "$@"; echo "gcloud\'s"');
  shell.without("curl");
  shell.fake("curl", 'record "$@"; exec /usr/bin/curl "$@"');
  const { status, stdout } = await list();
  expect([status, stdout.split("\n")[1]]).toEqual([0, "1.0.0"]);
  expect(shell.calls()).toContain("gcloud auth print-access-token");
  expect(shell.calls().join("\n")).not.toMatch(/let-me-in|Basic|gcloud's/);
});

it("reports a missing login, and a login without permission", async () => {
  readers = [];
  const without = await list();
  expect([without.status, without.stdout]).toEqual([1, ""]);
  expect(without.stderr).toMatch(
    /^\S+\/p\/r is not public, and gcloud is not logged in: gcloud auth login\n$/,
  );
  shell.environment["GOOGLE_OAUTH_ACCESS_TOKEN"] = "dana's";
  const refused = await list();
  expect(refused.stderr).toContain(
    "the registry answered 401. To get access, ask for roles/artifactregistry.reader",
  );
  expect(refused.status).toBe(1);
});

it("reports that the registry does not answer", async () => {
  const { status, stderr } = await list("http://127.0.0.1:1/p/r");
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/127\.0\.0\.1 port 1.*; another registry: --registry URL\n$/),
  ]);
});

test.each([["--registry"], ["--registry localhost:5000"], ["--registry ftp://host/p/r"], ["1.4.2"]])(
  "refuses to be called with %s",
  (options) => {
    expect(shell.run("scripts/list-versions.sh", options.split(" ")).status).toBe(2);
  },
);

it("asks production by default", () => {
  shell.fake("curl", 'record "$@"; exit 6');
  shell.run("scripts/list-versions.sh");
  expect(shell.calls().join("\n")).toContain(
    "https://us-central1-docker.pkg.dev/v2/production-471918/hyperion-public/hyperion-ui/tags/list",
  );
});

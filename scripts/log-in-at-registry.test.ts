import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, expect, it, test } from "vitest";
import { listen } from "../test/support/listen.ts";
import { type Ended, useShell } from "../test/support/shell.ts";

const HOST = "us-central1-docker.pkg.dev";
const CI = "hyperion-ci@p.iam.gserviceaccount.com";
const NONE = "credentials not found in native keychain\n";

const shell = useShell();
let google: Server;
/** The requests to Google, in order; each answer has another token. */
let asked: string[];

beforeEach(async () => {
  asked = [];
  google = createServer((request, response) => {
    asked.push(request.url ?? "");
    const token = `token-${asked.length}`;
    const expireTime = new Date(Date.now() + 3_600_000).toISOString();
    const answer = {
      access_token: token,
      accessToken: token,
      expires_in: 3600,
      expireTime,
      token_type: "Bearer",
    };
    response.setHeader("Content-Type", "application/json").end(JSON.stringify(answer));
  });
  const origin = `http://127.0.0.1:${await listen(google)}`;
  const credentials = {
    type: "external_account",
    audience: "//iam.googleapis.com/p",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${origin}/exchange`,
    credential_source: { file: shell.write("subject", "x") },
  };
  shell.environment["GOOGLE_APPLICATION_CREDENTIALS"] = shell.write("adc.json", JSON.stringify(credentials));
  shell.environment["GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT"] = `${origin}/v1/`;
  shell.environment["REGISTRY_HOST"] = HOST;
  shell.fake("docker", "echo unix:///run/of-the-context.sock");
});

afterEach(() => {
  google.close();
});

/** Runs commands in a shell that uses the login. */
const inShell = async (commands: string, options = ""): Promise<Ended> => {
  const script = shell.write(
    "in-shell.sh",
    `set -e\neval "$('${process.cwd()}/scripts/log-in-at-registry.sh' ${options} 2>"$HOME/said")"\n${commands}`,
  );
  return shell.start(script).ended;
};
const ask = (host: string): string => `echo ${host} | docker-credential-hyperion-registry get;`;
const login = (server: string, token: string): string =>
  `${JSON.stringify({ ServerURL: server, Username: "oauth2accesstoken", Secret: token })}\n`;

it("gives Docker a new token each time it asks for this host's login, by the Node.js of npm ci", async () => {
  delete shell.environment["REGISTRY_HOST"];
  shell.fake("node", "exit 9");
  const { status, stdout } = await inShell(`${ask(HOST)} ${ask(`https://${HOST}/v2/`)}`);
  expect(stdout).toBe(login(HOST, "token-1") + login(`https://${HOST}/v2/`, "token-2"));
  expect(status).toBe(0);
  expect(asked).toEqual(["/exchange", "/exchange"]);
  expect(shell.read("said")).not.toContain("token-");
});

it("sends no request to Google for another host", async () => {
  const others = ["evil.example.com", `${HOST}.evil.example.com`, `https://evil.example.com/${HOST}`, ""];
  const commands = others.map((other) => `{ ${ask(other)} } || echo $?`).join("\n");
  const { stdout } = await inShell(commands);
  expect(stdout).toBe(others.map(() => `${NONE}1\n`).join(""));
  expect(asked).toEqual([]);
});

it("acts as the account of --as, and ignores the user's Docker configuration", async () => {
  shell.write(
    ".docker/config.json",
    JSON.stringify({ credHelpers: { [HOST]: "gcloud" }, credsStore: "desktop" }),
  );
  const { stdout } = await inShell(
    `${ask(HOST)} cat "$DOCKER_CONFIG/config.json"; echo "$DOCKER_HOST"`,
    `--as ${CI}`,
  );
  const [answer, config, engine] = stdout.split("\n");
  expect(`${String(answer)}\n`).toBe(login(HOST, "token-2"));
  expect(asked).toEqual(["/exchange", `/v1/projects/-/serviceAccounts/${CI}:generateAccessToken`]);
  expect(JSON.parse(String(config))).toMatchObject({ credHelpers: { [HOST]: "hyperion-registry" } });
  expect(config).not.toMatch(/credsStore|"auths"|"gcloud"/);
  expect(engine).toBe("unix:///run/of-the-context.sock");
});

it("refuses to store a login", async () => {
  const { status, stdout } = await inShell("echo '{}' | docker-credential-hyperion-registry store");
  expect([status, stdout]).toEqual([1, "this login renews itself: docker cannot store it\n"]);
});

it("reports a missing login at Google", async () => {
  shell.environment["GOOGLE_APPLICATION_CREDENTIALS"] = "/nowhere";
  const { status, stdout } = await inShell(ask(HOST));
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /^Google gave no access token: .*; log in: gcloud auth application-default login\n$/,
  );
});

it("sets up the next steps of a workflow", async () => {
  for (const name of ["path", "env"]) shell.write(name, "");
  Object.assign(shell.environment, {
    GITHUB_PATH: shell.path("path"),
    GITHUB_ENV: shell.path("env"),
    RUNNER_TEMP: shell.path("runner"),
    DOCKER_HOST: "unix:///run/docker.sock",
    REGISTRY_HOST: "localhost:5000",
  });
  await inShell("");
  expect(shell.read("path")).toBe(`${shell.path("runner/login/own/bin")}\n`);
  expect(shell.read("env")).toBe(`DOCKER_CONFIG=${shell.path("runner/login/own")}\n`);
  expect(shell.read("runner/login/own/config.json")).toContain('"localhost:5000": "hyperion-registry"');
});

test.each([["--as"], ["--stack x"]])("prints the usage for %s", (options) => {
  const { status, stderr } = shell.run("scripts/log-in-at-registry.sh", options.split(" "));
  expect([status, stderr.split("\n")[0]]).toEqual([
    2,
    'Usage: login=$(scripts/log-in-at-registry.sh [--as ACCOUNT]) && eval "$login"',
  ]);
});

import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { arch } from "node:process";
import { generate } from "selfsigned";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Ended, root, useShell } from "../test/support/shell.ts";

/** Copies of the files that the script reads; the tests have their own checksums. */
const PROJECT = ["scripts/install-pulumi.sh", ".pulumi.version", "package.json"];
const version = readFileSync(path.join(root, ".pulumi.version"), "utf8").trim();
const archive = `pulumi-v${version}-linux-${arch === "arm64" ? "arm64" : "x64"}.tar.gz`;
const checksums = `pulumi-${version}-checksums.txt`;
const home = ".hyperion-registry";
const bin = `${home}/versions/${version}/bin`;
const platform = `linux-${arch === "arm64" ? "arm64" : "amd64"}`;
const { dependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};
const plugins = ["gcp", "docker"].map((name) => [name, dependencies[`@pulumi/${name}`] ?? ""] as const);
/** The fake CLI of the release: installs a plugin whose archive has the checksum. */
const engine = `#!/usr/bin/env bash
echo "pulumi $*" >>"$RECORD"
[ "$1 $2 $3" = "plugin install resource" ] || exit 9
[ -z "$FORGED" ] || { echo "error: checksum mismatch" >&2; exit 255; }
mkdir -p "$PULUMI_HOME/plugins/resource-$4-v$5"
`;

const shell = useShell();
/** The files of the release on the server. */
let files: Map<string, Buffer>;
let server: ReturnType<typeof createServer>;
let certificate: string;
let releases: string;

beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
  });
  certificate = cert;
  server = createServer({ key, cert }, ({ url }, response) => {
    const file = files.get(path.basename(url ?? ""));
    response.writeHead(file === undefined || !url?.startsWith(`/v${version}/`) ? 404 : 200).end(file);
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  releases = `https://localhost:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
});

beforeEach(() => {
  for (const tool of ["curl", "tar", "gzip", "sha256sum", "cmp"]) shell.pass(tool);
  shell.fake("cosign", 'record "$@"; [ -z "$UNSIGNED" ] || { echo "no matching signatures" >&2; exit 1; }');
  shell.environment["CURL_CA_BUNDLE"] = shell.write("ca.pem", certificate);
  shell.environment["GITHUB_PATH"] = path.join(shell.folder, "path");
  shell.environment["GITHUB_ENV"] = path.join(shell.folder, "env");
  for (const [name, text] of [
    ["pulumi", engine],
    ["pulumi-language-nodejs", "the language host"],
    ["pulumi-resource-pulumi-nodejs", "runs what is in a state"],
  ] as const)
    shell.write(`release/pulumi/${name}`, text, 0o755);
  shell.bash("cd release && tar --create --gzip --file ../packed pulumi");
  for (const file of PROJECT)
    shell.write(`project/${file}`, readFileSync(path.join(root, file), "utf8"), 0o755);
  shell.write(
    "project/.pulumi.plugins",
    plugins.map(([name, of]) => `${name} ${of} ${platform} ${checksum(name)}\n`).join(""),
  );
  const packed = readFileSync(path.join(shell.folder, "packed"));
  files = new Map([
    [archive, packed],
    [checksums, sums(packed)],
    [`${checksums}.sig`, Buffer.from("{}")],
  ]);
});

const sums = (of: Buffer, name = archive): Buffer =>
  Buffer.from(`${createHash("sha256").update(of).digest("hex")}  ${name}\n`);

/** Runs the script without blocking this process, which serves the release. */
const run = (...args: string[]): Promise<Ended> =>
  shell.start(shell.path(`project/${PROJECT[0] ?? ""}`), args).ended;

const install = (...more: string[]): Promise<Ended> => run("--from", releases, ...more);

const checksum = (text: string): string => createHash("sha256").update(text).digest("hex");

async function refuses(message: string): Promise<void> {
  const { status, stderr } = await install();
  expect(stderr).toContain(`Pulumi was not installed: ${message}\n`);
  expect(status).toBe(1);
  expect(shell.read(`${bin}/pulumi`)).toBe("");
  expect(shell.read("path")).toBe("");
}

it("installs a release that matches its signed checksums, and the plugins, for the next steps of a workflow", async () => {
  const { status, stdout, stderr } = await install();
  expect([status, stdout, stderr]).toEqual([
    0,
    "",
    `Pulumi ${version} and its plugins, verified, are in ${shell.folder}/${home}\n`,
  ]);
  expect(shell.read("path")).toBe(`${shell.folder}/${bin}\n`);
  expect(shell.read("env")).toBe(
    `PULUMI_HOME=${shell.folder}/${home}\nPULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true\nPULUMI_IGNORE_AMBIENT_PLUGINS=true\n`,
  );
  expect(shell.calls()).toEqual([
    `cosign verify-blob --bundle ${checksums}.sig --certificate-identity-regexp ^https://github\\.com/pulumi/pulumi/\\.github/workflows/sign\\.yml@refs/ --certificate-oidc-issuer https://token.actions.githubusercontent.com ${checksums}`,
    ...plugins.map(
      ([name, of]) => `pulumi plugin install resource ${name} ${of} --exact --checksum ${checksum(name)}`,
    ),
  ]);
});

it("leaves out programs that run code from a state", async () => {
  await install();
  expect(readdirSync(path.join(shell.folder, bin)).sort()).toEqual(["pulumi", "pulumi-language-nodejs"]);
});

it("downloads nothing a second time, and prints the settings for a shell", async () => {
  await install();
  shell.forgetCalls();
  delete shell.environment["GITHUB_PATH"];
  const { status, stdout } = await run("--from", "https://localhost:1");
  expect([status, shell.calls()]).toEqual([0, []]);
  expect(shell.bash(`${stdout}\ntype -p pulumi; env | grep ^PULUMI_ | sort\n`).stdout).toBe(
    `${shell.folder}/${bin}/pulumi\nPULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true\nPULUMI_HOME=${shell.folder}/${home}\nPULUMI_IGNORE_AMBIENT_PLUGINS=true\n`,
  );
});

it("takes the plugins from a mirror", async () => {
  await install("--plugins-from", "https://mirror.example.com");
  expect(shell.calls().filter((call) => call.endsWith(" --server https://mirror.example.com"))).toHaveLength(
    2,
  );
});

describe("records the checksums of a plugin on a laptop", () => {
  const [[name, of] = ["", ""]] = plugins;

  /** A curl whose answer is the file's name, or at one of the two servers another. */
  const curl = (odd = ""): string => `
record "$@"
for word; do case $previous in --output) out=$word ;; esac; previous=$word; done
case $word in *"${odd || "nowhere"}"*) echo other >"$out" ;; *) echo "\${word##*/}" >"$out" ;; esac`;

  /** A laptop has no file of a workflow's next steps; the plugin's own line is missing. */
  beforeEach(async () => {
    await install();
    const kept = shell.read("project/.pulumi.plugins").replace(new RegExp(`^${name} .*\n`, "m"), "");
    shell.write("project/.pulumi.plugins", `${kept}${name} 0.0.1 ${platform} ${checksum("x")}\n`);
    delete shell.environment["GITHUB_PATH"];
    shell.forgetCalls();
  });

  const uninstall = (): Ended => shell.bash(`rm -r ${home}/plugins/resource-${name}-*`);

  it("if the plugin is already installed", async () => {
    shell.fake("curl", curl());
    const { status, stderr } = await run();
    expect([status, stderr]).toEqual([
      0,
      `Recorded the plugin ${name} ${of} in .pulumi.plugins: get.pulumi.com and github.com gave the same files. Commit it.\n`,
    ]);
    expect(shell.calls().filter((call) => call.startsWith("pulumi"))).toEqual([]);
  });

  it("if two servers have the same files, and continues", async () => {
    uninstall();
    const [other = ""] = shell.read("project/.pulumi.plugins").split("\n");
    shell.fake("curl", curl());
    const { status, stderr } = await run();
    expect(stderr).toContain(`Recorded the plugin ${name} ${of} in .pulumi.plugins`);
    expect(status).toBe(0);
    const lines = shell.read("project/.pulumi.plugins").trim().split("\n");
    expect(lines).toHaveLength(1 + 4);
    expect(lines).toContain(other);
    const file = `pulumi-resource-${name}-v${of}-${platform}.tar.gz`;
    expect(lines).toContain(`${name} ${of} ${platform} ${checksum(`${file}\n`)}`);
    expect(shell.calls().filter((call) => call.endsWith(file))).toEqual([
      expect.stringContaining(` https://get.pulumi.com/releases/plugins/${file}`),
      expect.stringContaining(` https://github.com/pulumi/pulumi-${name}/releases/download/v${of}/${file}`),
    ]);
    expect(shell.calls().at(-1)).toBe(
      `pulumi plugin install resource ${name} ${of} --exact --checksum ${checksum(`${file}\n`)}`,
    );
  });

  it("and records nothing if they differ", async () => {
    uninstall();
    shell.fake("curl", curl("github.com"));
    const before = shell.read("project/.pulumi.plugins");
    const { status, stderr } = await run();
    expect([status, shell.read("project/.pulumi.plugins")]).toEqual([1, before]);
    expect(stderr).toContain("is not the same at get.pulumi.com and at github.com\n");
  });
});

it("uses the CLI that HYPERION_PULUMI names, and installs nothing", async () => {
  delete shell.environment["GITHUB_PATH"];
  shell.environment["HYPERION_PULUMI"] = "/own/bin/pulumi";
  const { status, stdout } = await install();
  expect([status, shell.calls()]).toEqual([0, []]);
  expect(stdout).toBe(
    'export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true\nexport PULUMI_IGNORE_AMBIENT_PLUGINS=true\nexport PATH=/own/bin:"$PATH"\n',
  );
});

it("runs first in npm run pulumi, which runs nothing if it fails", async () => {
  delete shell.environment["GITHUB_PATH"];
  shell.write("project/scripts/pulumi.sh", readFileSync(path.join(root, "scripts/pulumi.sh"), "utf8"), 0o755);
  shell.fake("pulumi", "echo another");
  shell.environment["PULUMI_HOME"] = shell.path("none");
  shell.without("cosign");
  const pulumi = (...args: string[]) => shell.start(shell.path("project/scripts/pulumi.sh"), args).ended;
  const { status, stdout, stderr } = await pulumi("up");
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^Pulumi was not installed: [^\n]+\n$/);
  shell.write("own/pulumi", '#!/bin/sh\necho "own $* $PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"\n', 0o755);
  shell.environment["HYPERION_PULUMI"] = shell.path("own/pulumi");
  expect(await pulumi("stack", "ls")).toMatchObject({ status: 0, stdout: "own stack ls true\n" });
});

describe("plugins", () => {
  const [[name, of] = ["", ""]] = plugins;

  it("without a checksum fail in a workflow, with the command that records it", async () => {
    shell.write("project/.pulumi.plugins", `${name} 0.0.1 ${platform} ${checksum("x")}\n`);
    const { status, stderr } = await install();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `no checksum of the plugin ${name} ${of} for ${platform}: run scripts/install-pulumi.sh on your machine, and commit`,
      ),
    );
    expect(shell.read("path")).toBe("");
  });

  it("with another checksum are not installed", async () => {
    shell.environment["FORGED"] = "1";
    const { status, stderr } = await install();
    expect(status).toBe(1);
    expect(stderr).toContain(
      `the plugin ${name} ${of} could not be downloaded, or differs from .pulumi.plugins\n`,
    );
    expect(shell.read("path")).toBe("");
  });

  it("that this project does not use are an error: a state could name them", async () => {
    mkdirSync(path.join(shell.folder, home, "plugins/resource-command-v1.0.0"), { recursive: true });
    const { status, stderr } = await install();
    expect(status).toBe(1);
    expect(stderr).toContain(`rm -r '${shell.folder}/${home}/plugins/resource-command-v1.0.0'\n`);
  });
});

describe("installs nothing", () => {
  it("if the archive does not match the checksums", async () => {
    files.set(checksums, sums(Buffer.from("another")));
    await refuses(`${archive} does not match the signed ${checksums}; do not use it`);
  });

  it("if the checksums do not name the archive", async () => {
    files.set(checksums, sums(files.get(archive) ?? Buffer.of(), `x${archive}`));
    await refuses(`${archive} does not match the signed ${checksums}; do not use it`);
  });

  it("if the checksums are not signed, and downloads no archive then", async () => {
    shell.environment["UNSIGNED"] = "1";
    files.delete(archive);
    await refuses(`${checksums} is not signed by Pulumi's release workflow`);
  });

  it.each([checksums, `${checksums}.sig`, archive])("if there is no %s", async (file) => {
    files.delete(file);
    await refuses(`${releases}/v${version}/${file} could not be downloaded`);
  });

  it("without cosign", async () => {
    shell.without("cosign");
    await refuses("cosign is not on the PATH: https://docs.sigstore.dev/cosign/system_config/installation");
  });

  it("over plain HTTP", async () => {
    const { status, stderr } = await run("--from", "http://localhost:1");
    expect(stderr).toContain("could not be downloaded");
    expect(status).toBe(1);
  });
});

it.each([["--nonsense"], ["--from"]])("refuses the call %s", async (...args) => {
  const { status, stderr } = await run(...args);
  expect(status).toBe(2);
  expect(stderr).toContain("Usage: scripts/install-pulumi.sh");
});

import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { arch } from "node:process";
import { generate } from "selfsigned";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { root, Shell, type Ended } from "../test/support/shell.ts";

const script = "scripts/install-pulumi.sh";
const version = readFileSync(path.join(root, ".pulumi.version"), "utf8").trim();
const archive = `pulumi-v${version}-linux-${arch === "arm64" ? "arm64" : "x64"}.tar.gz`;
const checksums = `pulumi-${version}-checksums.txt`;
const bin = `.pulumi/versions/${version}/bin`;

let shell: Shell;
/** What the server has of the release; a missing file is a 404. */
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

beforeEach(async () => {
  shell = new Shell();
  for (const tool of ["curl", "tar", "gzip", "sha256sum"]) shell.pass(tool);
  shell.fake("cosign", 'record "$@"; [ -z "$UNSIGNED" ] || { echo "no matching signatures" >&2; exit 1; }');
  shell.environment["CURL_CA_BUNDLE"] = shell.write("ca.pem", certificate);
  shell.environment["GITHUB_PATH"] = path.join(shell.folder, "path");
  mkdirSync(path.join(shell.folder, "release/pulumi"), { recursive: true });
  writeFileSync(path.join(shell.folder, "release/pulumi/pulumi"), "the engine");
  const pack = shell.write(
    "pack.sh",
    `cd "${shell.folder}/release" && tar --create --gzip --file ../packed pulumi`,
  );
  await run(path.relative(root, pack), []);
  const packed = readFileSync(path.join(shell.folder, "packed"));
  files = new Map([
    [archive, packed],
    [checksums, sums(packed)],
    [`${checksums}.sig`, Buffer.from("{}")],
  ]);
});

afterEach(() => {
  shell.remove();
});

const sums = (of: Buffer, name = archive): Buffer =>
  Buffer.from(`${createHash("sha256").update(of).digest("hex")}  ${name}\n`);

/** Without blocking this process, which serves the release. */
async function run(file: string, args: string[]): Promise<Ended> {
  const child = shell.start(file, args);
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout, stderr };
}

const install = (): Promise<Ended> => run(script, ["--from", releases]);

async function refuses(message: string): Promise<void> {
  const { status, stderr } = await install();
  expect(stderr).toContain(`Pulumi was not installed: ${message}\n`);
  expect(status).toBe(1);
  expect(shell.read(`${bin}/pulumi`)).toBe("");
  expect(shell.read("path")).toBe("");
}

it("installs a release that is what its signed checksums say, and puts it on the workflow's PATH", async () => {
  const { status, stderr } = await install();
  expect([status, stderr]).toEqual([0, ""]);
  expect(shell.read(`${bin}/pulumi`)).toBe("the engine");
  expect(shell.read("path")).toBe(`${shell.folder}/${bin}\n`);
  expect(shell.calls()).toEqual([
    `cosign verify-blob --bundle ${checksums}.sig --certificate-identity-regexp ^https://github\\.com/pulumi/pulumi/\\.github/workflows/sign\\.yml@refs/ --certificate-oidc-issuer https://token.actions.githubusercontent.com ${checksums}`,
  ]);
});

describe("installs nothing", () => {
  it("when the archive is another one than the checksums say", async () => {
    files.set(checksums, sums(Buffer.from("another")));
    await refuses(`${archive} is not what the signed ${checksums} says; do not use it`);
  });

  it("when the checksums do not name the archive", async () => {
    files.set(checksums, sums(files.get(archive) ?? Buffer.of(), `x${archive}`));
    await refuses(`${archive} is not what the signed ${checksums} says; do not use it`);
  });

  it("when the checksums are not signed, and looks at no archive then", async () => {
    shell.environment["UNSIGNED"] = "1";
    files.delete(archive);
    await refuses(`${checksums} is not signed by Pulumi's release workflow`);
  });

  it.each([checksums, `${checksums}.sig`, archive])("when there is no %s", async (file) => {
    files.delete(file);
    await refuses(`${releases}/v${version}/${file} could not be downloaded`);
  });

  it("without cosign", async () => {
    shell.without("cosign");
    await refuses("cosign is not on the PATH: https://docs.sigstore.dev/cosign/system_config/installation");
  });

  it("over plain HTTP", async () => {
    const { status, stderr } = await run(script, ["--from", "http://localhost:1"]);
    expect(stderr).toContain("could not be downloaded");
    expect(status).toBe(1);
  });
});

it.each([["--nonsense"], ["--from"]])("refuses the call %s", async (...args) => {
  const { status, stderr } = await run(script, args);
  expect(status).toBe(2);
  expect(stderr).toContain("Usage: scripts/install-pulumi.sh");
});

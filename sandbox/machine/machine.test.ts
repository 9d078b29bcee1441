import { describe, expect, test } from "vitest";
import { aptPrefix } from "./apt.ts";
import { wantsCurrentEngine } from "./install-engine.ts";
import { type Lack, packagesFor } from "./install-packages.ts";
import { chosenPlugins } from "./link-plugins.ts";
import { isRecentEnough, PULUMI_CLI, PULUMI_VERSION } from "./install-pulumi.ts";

test("the Go module of the Pulumi CLI has the version of the workflows", () => {
  expect(PULUMI_CLI.version).toBe(`v${PULUMI_VERSION}`);
});

test.each([
  ["v3.274.1", true],
  ["3.274.2", true],
  ["v3.300.0\n", true],
  ["v3.274.1-alpha.x1234", true],
  ["v3.273.9", false],
  ["v2.300.0", false],
  ["v4.0.0", false],
  ["dev", false],
  ["", false],
])("a Pulumi CLI %j is recent enough: %s", (version, expected) => {
  expect(isRecentEnough(version)).toBe(expected);
});

test("the kind of plugins is optional", () => {
  const chosen = (HYPERION_SANDBOX_PLUGINS?: string) => chosenPlugins({ HYPERION_SANDBOX_PLUGINS });
  const kinds = [chosen(), chosen(""), chosen("real"), chosen("fake")];
  expect(kinds).toEqual([undefined, undefined, "real", "fake"]);
  expect(() => chosen("reel")).toThrow('HYPERION_SANDBOX_PLUGINS is "reel": set it to real or fake');
});

test("a variable selects a current engine", () => {
  const wants = (HYPERION_SANDBOX_ENGINE?: string) => wantsCurrentEngine({ HYPERION_SANDBOX_ENGINE });
  expect([wants(), wants(""), wants("current")]).toEqual([false, false, true]);
  expect(() => wants("29")).toThrow('HYPERION_SANDBOX_ENGINE is "29": set it to current');
});

test("apt-get runs directly as root, else by a sudo that needs no password", () => {
  expect(aptPrefix({ root: true, apt: true, sudo: false })).toEqual({ usable: true, command: ["apt-get"] });
  expect(aptPrefix({ root: false, apt: true, sudo: true })).toMatchObject({ usable: true });
  const why = "installing needs root";
  expect(aptPrefix({ root: false, apt: true, sudo: false })).toEqual({ usable: false, why });
  expect(aptPrefix({ root: true, apt: false, sudo: true })).toMatchObject({ usable: false });
});

describe("the Debian packages", () => {
  const bookworm = { dockerCli: false, buildx: false };
  const trixie = { dockerCli: true, buildx: true };
  const engine = ["engine", "docker", "buildKit"] as const;

  test.each<[string, readonly Lack[], typeof bookworm, string[]]>([
    ["nothing", [], bookworm, []],
    ["the registry", ["registry"], bookworm, ["docker-registry"]],
    ["an engine and its command", engine, bookworm, ["docker.io"]],
    ["an engine and separate packages", engine, trixie, ["docker.io", "docker-cli", "docker-buildx"]],
    ["a command that builds with BuildKit", ["buildKit"], bookworm, ["docker.io"]],
    ["an engine that was built here", ["runc"], bookworm, ["runc"]],
    ["the network's tools", ["ip", "iptables"], bookworm, ["iproute2", "iptables"]],
  ])("for %s", (_, missing, known, expected) => {
    expect(packagesFor(missing, known)).toEqual(expected);
  });
});

import { describe, expect, test, vi } from "vitest";
import { logged } from "../../test/support/fake-google.ts";
import { declare } from "../../test/support/mocks.ts";
import { useScratch } from "../../test/support/scratch.ts";
import { confirmLogin, requireHelper } from "./confirm-login.ts";

const URL = "us-central1-docker.pkg.dev/production-471918/hyperion-public";

const scratch = useScratch();

describe("credentials for the registry", () => {
  const login = (config: unknown): void => {
    vi.stubEnv("DOCKER_CONFIG", scratch.folder);
    const text = typeof config === "string" ? config : JSON.stringify(config);
    scratch.write("config.json", text);
  };
  const ask = (preview: boolean) => declare(async () => confirmLogin(await requireHelper(URL)), preview);

  /** Expects an error at up, and the same text as a warning at preview. */
  async function expectError(found: string, allowed: string, fix: string): Promise<void> {
    const where = scratch.path("config.json");
    const problem = [where, `  found:   ${found}`, `  allowed: ${allowed}`, `  fix:     ${fix}`];
    const message = ["1 problem; nothing was pushed.", "", ...problem].join("\n");
    await expect(ask(false)).rejects.toThrow(message);
    const lines = logged();
    expect((await ask(true)).result).toBe(URL);
    expect(lines.warn).toEqual([message]);
  }

  const KNOWN = `read host; echo '{"ServerURL":"x","Username":"_dcgcloud_token","Secret":"s"}'`;

  /** @param body script for `get`. @param list script for `list`. */
  const installHelpers = (body: string, names: string[], list = "echo '{}'"): void => {
    const script = `#!/bin/sh\nif [ "$1" = list ]; then ${list}; else ${body}; fi\n`;
    for (const name of names) scratch.write(`docker-credential-${name}`, script, 0o755);
    vi.stubEnv("PATH", scratch.folder);
  };

  test.each([
    ["a credential helper", { credHelpers: { "us-central1-docker.pkg.dev": "gcloud" } }],
    ["a login", { auths: { "us-central1-docker.pkg.dev": { auth: "b2F1dGg6eA==" } } }],
  ])("accepts %s", async (_, config) => {
    installHelpers(KNOWN, ["gcloud"]);
    login(config);
    expect((await ask(false)).result).toBe(URL);
  });

  test.each([
    [
      "gcloud",
      "install the Google Cloud CLI (https://cloud.google.com/sdk/docs/install), or put it on the PATH",
    ],
    ["gcr", "gcloud auth configure-docker us-central1-docker.pkg.dev"],
  ])("a helper %s that is not installed is an error at preview and up", async (helper, fix) => {
    installHelpers(KNOWN, ["desktop"]);
    login({ credHelpers: { "us-central1-docker.pkg.dev": helper }, credsStore: "desktop" });
    const message = [
      scratch.path("config.json"),
      `  found:   the credential helper docker-credential-${helper} for us-central1-docker.pkg.dev, which is not on the PATH`,
      "  allowed: a credential helper that can be run",
      `  fix:     ${fix}`,
    ].join("\n");
    for (const preview of [true, false]) await expect(ask(preview)).rejects.toThrow(message);
  });

  test.each([
    ["is not installed", undefined, "which is not on the PATH"],
    ["fails", "exit 1", "which fails to list them"],
    ["returns no JSON", "echo no display", "which fails to list them"],
  ])("a store that %s is an error, even if the host has its own helper", async (_, list, what) => {
    installHelpers(KNOWN, ["gcloud", ...(list === undefined ? [] : ["desktop"])], list);
    login({ credHelpers: { "us-central1-docker.pkg.dev": "gcloud" }, credsStore: "desktop" });
    const message = [
      scratch.path("config.json"),
      `  found:   the credential helper docker-credential-desktop for the logins of all registries, ${what}`,
      "  allowed: a credential helper that works, or none, because the docker plugin lists all logins when it starts",
      '  fix:     remove "credsStore" from the file, or install docker-credential-desktop',
    ].join("\n");
    for (const preview of [true, false]) await expect(ask(preview)).rejects.toThrow(message);
  });

  test("the missing helper of another registry is a warning", async () => {
    installHelpers(KNOWN, ["gcloud"]);
    login({ credHelpers: { "us-central1-docker.pkg.dev": "gcloud", "ghcr.io": "gh", "quay.io": "gh" } });
    const lines = logged();
    expect((await ask(false)).result).toBe(URL);
    expect(lines.warn).toEqual([
      [
        "about logins at other registries:",
        "",
        scratch.path("config.json"),
        "  found:   the credential helper docker-credential-gh for ghcr.io, quay.io, which is not on the PATH",
        "  allowed: a credential helper that can be run",
        '  fix:     remove "ghcr.io", "quay.io" from "credHelpers"',
      ].join("\n"),
    ]);
  });

  test("no login is an error at up and a warning at preview", async () => {
    login({});
    await expectError(
      "no credentials for us-central1-docker.pkg.dev",
      "a credential helper or a login for the registry that images are pushed to",
      "gcloud auth configure-docker us-central1-docker.pkg.dev",
    );
  });

  test("a missing file is an error at preview and up, because the docker plugin does not start", async () => {
    vi.stubEnv("DOCKER_CONFIG", scratch.folder);
    const message = [
      scratch.path("config.json"),
      "  found:   no credentials for us-central1-docker.pkg.dev",
      "  allowed: a credential helper or a login for the registry that images are pushed to",
      "  fix:     gcloud auth configure-docker us-central1-docker.pkg.dev",
    ].join("\n");
    for (const preview of [true, false]) await expect(ask(preview)).rejects.toThrow(message);
  });

  test.each([
    [
      "desktop",
      "echo 'credentials not found in native keychain'; exit 1",
      "has no login for",
      "gcloud auth configure-docker us-central1-docker.pkg.dev",
    ],
    ["gcloud", "exit 1", "fails for", "gcloud auth login"],
  ])(
    "a helper %s without a login is an error at up and a warning at preview",
    async (helper, body, what, fix) => {
      installHelpers(body, [helper]);
      login({ credsStore: helper });
      await expectError(
        `the credential helper docker-credential-${helper}, which ${what} us-central1-docker.pkg.dev`,
        "a credential helper that has a login for the registry that images are pushed to",
        fix,
      );
    },
  );

  test("reports a configuration that is not JSON, without its content", async () => {
    login('{ "auths": secret');
    const error = await ask(false).catch(String);
    expect(error).toContain(`  found:   ${scratch.path("config.json")} is not JSON: Docker does not read it`);
    expect(error).not.toContain("secret");
  });
});

import { describe, expect, it } from "vitest";
import { useScratch } from "../../../test/support/scratch.ts";
import { BuildProgress } from "./build-progress.ts";
import { withoutTag } from "./image-name.ts";
import { checkSettings, engineHost } from "./settings.ts";

describe("an image's name", () => {
  const digest = `sha256:${"a".repeat(64)}`;

  it.each([
    ["localhost:5001/p/r/i:1.0", "localhost:5001/p/r/i"],
    ["localhost/i", "localhost/i"],
    ["us-central1-docker.pkg.dev/p/r/i:abc123f", "us-central1-docker.pkg.dev/p/r/i"],
    [`h:1/p/r/i@${digest}`, "h:1/p/r/i"],
    [`h:1/p/r/i:tag@${digest}`, "h:1/p/r/i"],
  ])("%s without its tag and digest is %s", (name, expected) => {
    expect(withoutTag(name)).toBe(expected);
  });

  it.each(["i", "i:1.0", "user/i:1.0"])("%s is refused", (name) => {
    expect(() => withoutTag(name)).toThrow("requires all image names to be fully qualified");
  });
});

describe("BuildProgress", () => {
  const lines = [
    "#1 [internal] load build definition from Dockerfile",
    "#1 DONE 0.1s",
    "#3 importing cache manifest from localhost/i:build",
    "#3 ERROR: failed to configure registry cache importer: localhost/i:build: not found",
    "#4 [1/3] FROM docker.io/library/node",
    "#5 [2/3] RUN make",
    "#5 0.312 compiling",
    "#6 [other 1/1] RUN noise",
    "#6 0.400 noise",
    "#5 0.500 main.c:1: error: expected ';'",
    "#5 ERROR: executor failed running [/bin/sh -c make]: exit code: 2",
    "------",
    " > [2/3] RUN make:",
  ];

  it("names each of the user's steps once", () => {
    const progress = new BuildProgress();
    expect(lines.map((line) => progress.take(line)).filter((line) => line !== undefined)).toEqual([
      "[1/3] FROM docker.io/library/node",
      "[2/3] RUN make",
      "[other 1/1] RUN noise",
    ]);
  });

  /** Output and reason of a failed build. */
  const failureOf = (...more: string[]): { said: readonly string[]; why: string } => {
    const progress = new BuildProgress();
    for (const line of [...lines, ...more]) progress.take(line);
    return { said: progress.failingOutput(), why: progress.failure() };
  };

  it("keeps the output of the failed step and the reason", () => {
    const said = ["compiling", "main.c:1: error: expected ';'"];
    const why = "executor failed running [/bin/sh -c make]: exit code: 2";
    expect(failureOf()).toEqual({ said, why });
  });

  it.each([
    [
      'failed to solve with frontend dockerfile.v0: failed to solve with frontend gateway.v0: rpc error: code = Unknown desc = failed to compute cache key: "/nginx.conf" not found: not found',
      'failed to compute cache key: "/nginx.conf" not found: not found',
    ],
    [
      "failed to solve: rpc error: code = Unknown desc = executor failed running [make]: exit code: 3",
      "executor failed running [make]: exit code: 3",
    ],
    ["failed to solve: dockerfile parse error line 1: XX", "dockerfile parse error line 1: XX"],
    [
      "error: failed to solve: rpc error: code = Unavailable desc = error reading from server: EOF",
      "error parsing Docker output: unexpected EOF",
    ],
  ])("extracts the builder's error from %j", (line, why) => {
    expect(failureOf(line).why).toBe(why);
  });

  it("keeps the last lines if the builder has no error", () => {
    const progress = new BuildProgress();
    progress.take("unknown flag: --progress");
    expect([progress.failure(), progress.failingOutput()]).toEqual(["unknown flag: --progress", []]);
  });
});

describe("the docker provider's settings", () => {
  const registryAuth = '[{"address":"https://localhost:5001"}]';
  const scratch = useScratch();

  /** Reads the engine's address with a Docker configuration and these helpers on PATH. */
  const read = async (config: object, helpers: Record<string, string> = {}) => {
    scratch.write("config.json", JSON.stringify(config));
    for (const [name, script] of Object.entries(helpers))
      scratch.write(`docker-credential-${name}`, `#!/bin/sh\n${script}\n`, 0o755);
    const { folder } = scratch;
    const environment = { DOCKER_CONFIG: folder, DOCKER_HOST: "unix:///x", PATH: `${folder}:/usr/bin:/bin` };
    return engineHost({ registryAuth }, environment);
  };
  const address = "localhost:5001";
  const auths = { [address]: { auth: Buffer.from("u:p").toString("base64") } };

  it("names unsupported settings", () => {
    expect(checkSettings({ sshOpts: "[]", registryAuth: '[{"address":"h","username":"u"}]' })).toEqual([
      expect.objectContaining({ property: "sshOpts" }),
      expect.objectContaining({ property: "registryAuth.username" }),
    ]);
  });

  it("fails as the real plugin does without a Docker configuration", async () => {
    await expect(engineHost({ registryAuth }, { DOCKER_CONFIG: "/nowhere" })).rejects.toThrow(
      "could not open config file from filePath: /nowhere/config.json. Error: open /nowhere/config.json: no such file or directory",
    );
  });

  it("accepts a login in the file, one of a helper, or none", async () => {
    const empty = "echo credentials not found in native keychain; exit 1";
    for (const config of [{ auths }, { auths, credHelpers: { [address]: "empty" } }, { credsStore: "empty" }])
      expect(await read(config, { empty })).toBe("unix:///x");
  });

  it.each([
    ["is not installed", {}, 'exec: "docker-credential-gone": executable file not found in $PATH'],
    ["fails", { gone: "echo no login; exit 1" }, "exit status 1, out: `no login`"],
  ])("fails as the real plugin does if a helper %s", async (_, helpers, reason) => {
    await expect(read({ credsStore: "gone" }, helpers as Record<string, string>)).rejects.toThrow(
      "Error loading registry auth config: could not get auth config (the credentialhelper did not work or was not " +
        `found): error getting credentials - err: ${reason}`,
    );
  });
});

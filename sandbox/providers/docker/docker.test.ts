import { describe, expect, it } from "vitest";
import { BuildProgress } from "./build-progress.ts";
import { parseImageName } from "./image-name.ts";
import { checkSettings, readSettings } from "./settings.ts";

describe("parseImageName", () => {
  const digest = `sha256:${"a".repeat(64)}`;

  it.each([
    ["localhost:5001/p/r/i:1.0", "localhost:5001", "p/r/i", "1.0"],
    ["localhost/i", "localhost", "i", "latest"],
    ["us-central1-docker.pkg.dev/p/r/i:abc123f", "us-central1-docker.pkg.dev", "p/r/i", "abc123f"],
    [`h:1/p/r/i@${digest}`, "h:1", "p/r/i", digest],
    [`h:1/p/r/i:tag@${digest}`, "h:1", "p/r/i", digest],
  ])("takes %s apart", (name, host, repository, reference) => {
    expect(parseImageName(name)).toEqual({ host, repository, reference });
  });

  it.each(["i", "i:1.0", "user/i:1.0"])("refuses %s", (name) => {
    expect(() => parseImageName(name)).toThrow("requires all image names to be fully qualified");
  });
});

describe("BuildProgress", () => {
  const lines = [
    "#1 [internal] load build definition from Dockerfile",
    "#1 DONE 0.1s",
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

  it("keeps the failing step and what it said", () => {
    const progress = new BuildProgress();
    for (const line of lines) progress.take(line);
    expect(progress.failure()).toBe(
      [
        "step [2/3] RUN make",
        "  compiling",
        "  main.c:1: error: expected ';'",
        "executor failed running [/bin/sh -c make]: exit code: 2",
      ].join("\n"),
    );
  });

  it("keeps the last words where no step failed", () => {
    const progress = new BuildProgress();
    progress.take("failed to solve: dockerfile parse error line 1: unknown instruction: XX");
    expect(progress.failure()).toContain("unknown instruction: XX");
  });
});

describe("the docker provider's settings", () => {
  it("names what it does not support", () => {
    expect(checkSettings({ sshOpts: "[]", registryAuth: '[{"address":"h","authDisabled":true}]' })).toEqual([
      expect.objectContaining({ property: "sshOpts" }),
      expect.objectContaining({ property: "registryAuth.authDisabled" }),
    ]);
  });

  it("fails as the real plugin does without a Docker configuration", async () => {
    const registryAuth = '[{"address":"https://localhost:5001"}]';
    await expect(readSettings({ registryAuth }, { DOCKER_CONFIG: "/nowhere" })).rejects.toThrow(
      "could not open config file from filePath: /nowhere/config.json. Error: open /nowhere/config.json: no such file or directory",
    );
  });

  it("needs none for credentials of its own", async () => {
    const registryAuth = '[{"address":"https://localhost:5001/","username":"u","password":"p"}]';
    const read = await readSettings(
      { registryAuth },
      { DOCKER_CONFIG: "/nowhere", DOCKER_HOST: "unix:///x" },
    );
    expect(read).toEqual({
      host: "unix:///x",
      registries: [{ address: "localhost:5001", username: "u", password: "p" }],
    });
  });
});

/** Builds and runs the samples on each published platform. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import images from "../../images.json" with { type: "json" };
import { type Architecture, NATIVE } from "../../sandbox/machine/architecture.ts";
import { type Emulation, ensureEmulation } from "../../sandbox/machine/emulation.ts";
import { passed, stdoutOf } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const sandbox = useSandbox();
const OTHER: Architecture = NATIVE === "amd64" ? "arm64" : "amd64";

const tag = (name: string, architecture: Architecture) => `test-${name}:${architecture}`;

async function build(name: string, architecture: Architecture): Promise<void> {
  const { context = "", dockerfile = "" } = images.find((image) => image.name === name) ?? {};
  const folder = join(sandbox.sources, context);
  const options = ["--platform", `linux/${architecture}`, "--tag", tag(name, architecture)];
  passed(await sandbox.docker("build", ...options, "--file", join(folder, dockerfile), folder));
}

/** Runs a program of an image; returns its output. */
const outputOf = async (name: string, architecture: Architecture, program: string, ...args: string[]) => {
  const options = ["--rm", "--platform", `linux/${architecture}`, "--entrypoint", program];
  return (await sandbox.docker("run", ...options, tag(name, architecture), ...args)).output;
};

describe.each([NATIVE, OTHER])("for linux/%s", (architecture) => {
  it.each(images)("$name builds without running a program of that platform", async ({ name }) => {
    await build(name, architecture);
    const inspect = ["image", "inspect", "--format", "{{.Os}}/{{.Architecture}}"];
    expect(stdoutOf(await sandbox.docker(...inspect, tag(name, architecture)))).toBe(`linux/${architecture}`);
  });
});

describe(`programs for ${OTHER} in containers`, () => {
  let emulation: Emulation;

  beforeAll(async () => {
    emulation = await ensureEmulation(OTHER, console.log);
    for (const { name } of images) await build(name, OTHER);
  });
  afterAll(async () => {
    if (emulation.usable) await emulation.remove();
  });

  const MACHINE = { amd64: "x86_64", arm64: "aarch64" }[OTHER];

  it.for([
    ["hyperion-coordinator-mcp", "uname", "-m", MACHINE],
    ["hyperion-http-bridge", "uname", "-m", MACHINE],
    ["hyperion-ui", "nginx", "-v", "nginx version"],
  ] as const)("run: %s", async ([name, program, args, expected], { skip }) => {
    if (!emulation.usable) skip(emulation.why);
    expect(await outputOf(name, OTHER, program, ...args.split(" "))).toContain(expected);
  });
});

import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { initImagesStack } from "../support/images-stack.ts";
import { listen } from "../support/listen.ts";
import { failed, stdoutOf } from "../support/outcome.ts";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

// A person who can write a state can plant instructions in it. These tests check what docs/ACCESS.md says about that, on the
// states of the infrastructure and of the images.

/** The variables that scripts/install-pulumi.sh sets for workflows and for a maintainer's shell. */
const INSTALLED = {
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
};

/** The documented commands that work on a stack, besides a preview. */
const COMMANDS = [
  ["refresh", "--preview-only", "--json"],
  ["refresh", "--yes"],
  ["up", "--yes", "--skip-preview"],
  ["destroy", "--yes", "--skip-preview"],
  ["stack", "export"],
  ["stack", "output"],
];

interface Resource {
  urn: string;
  type: string;
  [name: string]: unknown;
}

const sandbox = useSandbox();
let server: Server;
let port: number;
/** Requests for a plugin, so far. */
let downloads: string[] = [];
/** The file that a planted program creates if it runs. */
let trace: string;
let bin: string;
/** The folder of the state, by stack. */
const folders: Record<string, string> = {};

beforeAll(async () => {
  server = createServer((request, response) => {
    downloads.push(request.url ?? "");
    response.writeHead(404).end();
  });
  port = await listen(server);
  trace = join(sandbox.root, "trace");
  bin = join(sandbox.root, "ambient");
  await mkdir(bin);
  // Runs the program of a "dynamic" resource; this one only records that it was started.
  const runner = join(bin, "pulumi-resource-pulumi-nodejs");
  await writeFile(runner, `#!/bin/sh\ntouch '${trace}'\nexit 1\n`);
  await chmod(runner, 0o755);

  folders["sandbox"] = sandboxPaths(sandbox.root).state;
  folders["images"] = join(sandbox.root, "images-state");
  await mkdir(folders["images"]);
  const images = sandbox.with({ PULUMI_BACKEND_URL: backend("images") });
  await initImagesStack(images);
  await images.up("--stack", "images");
  await sandbox.set({ publishImages: "false" });
  await sandbox.up();
});

afterAll(() => {
  server.close();
});

beforeEach(() => {
  downloads = [];
});

const backend = (stack: string): string => `file://${folders[stack] ?? ""}?metadata=skip`;

function run(stack: string, args: readonly string[], variables: NodeJS.ProcessEnv): Promise<Outcome> {
  const own = { PULUMI_BACKEND_URL: backend(stack), PATH: `${bin}:${sandbox.env["PATH"] ?? ""}` };
  return sandbox.command("pulumi", [...args, "--stack", stack], { ...own, ...variables });
}

/** Resources of an unknown plugin, as an attacker writes them. */
function planted(stack: string, name: string, type: string, inputs: object): Resource[] {
  const urn = (of: string, as: string): string => `urn:pulumi:${stack}::hyperion-registry::${of}::${as}`;
  const times = { created: "2026-01-01T00:00:00Z", modified: "2026-01-01T00:00:00Z" };
  const provider = `pulumi:providers:${name}`;
  const id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  return [
    { urn: urn(provider, "planted"), custom: true, id, type: provider, inputs, outputs: inputs, ...times },
    {
      urn: urn(type, "planted"),
      custom: true,
      id: "planted",
      type,
      inputs: { __provider: "exports.handler = 1;" },
      outputs: { __provider: "exports.handler = 1;" },
      provider: `${urn(provider, "planted")}::${id}`,
      ...times,
    },
  ];
}

/** Runs `work` on a state with these resources planted, as an attacker writes it, then restores the state. */
async function withPlanted<T>(stack: string, more: Resource[], work: () => Promise<T>): Promise<T> {
  const file = join(folders[stack] ?? "", `.pulumi/stacks/hyperion-registry/${stack}.json`);
  const before = await readFile(file, "utf8");
  const state = JSON.parse(before) as { checkpoint: { latest: { resources: Resource[] } } };
  state.checkpoint.latest.resources.push(...more);
  await writeFile(file, JSON.stringify(state));
  try {
    return await work();
  } finally {
    await writeFile(file, before);
  }
}

const evil = (stack: string): Resource[] =>
  planted(stack, "evil", "evil:index:Thing", {
    pluginDownloadURL: `http://127.0.0.1:${port}/`,
    version: "1.0.0",
  });
const program = (stack: string): Resource[] =>
  planted(stack, "pulumi-nodejs", "pulumi-nodejs:dynamic:Resource", {});

describe.each(["sandbox", "images"])("in the state of %s", (stack) => {
  /** Runs a command on the state with these resources; expects no download and no program. */
  const runHarmlessly = async (args: readonly string[], more: Resource[]): Promise<Outcome> => {
    const outcome = await withPlanted(stack, more, () => run(stack, args, INSTALLED));
    expect(downloads).toEqual([]);
    expect(existsSync(trace)).toBe(false);
    return outcome;
  };

  test.each(COMMANDS.map((args) => [args.join(" "), args] as const))(
    "pulumi %s downloads no plugin and runs no program",
    async (_, args) => {
      for (const more of [evil(stack), program(stack)]) await runHarmlessly(args, more);
    },
  );

  test("pulumi preview --json does neither, and names the planted plugin", async () => {
    const preview = ["preview", "--json"];
    await runHarmlessly(preview, program(stack));
    expect(failed(await runHarmlessly(preview, evil(stack)))).toMatch(/plugin.* evil/);
  });
});

test("without the variables, the engine downloads the plugin and runs the program", async () => {
  const none = {
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: undefined,
    PULUMI_IGNORE_AMBIENT_PLUGINS: undefined,
  };
  await withPlanted("sandbox", evil("sandbox"), async () => {
    await run("sandbox", ["preview"], none);
  });
  expect(downloads.length).toBeGreaterThan(0);
  await withPlanted("sandbox", program("sandbox"), async () => {
    await run("sandbox", ["refresh", "--preview-only"], none);
  });
  expect(existsSync(trace)).toBe(true);
});

describe("only-images-in-state", () => {
  const checkState = async (): Promise<Outcome> => {
    const state = stdoutOf(await run("images", ["stack", "export"], INSTALLED));
    return sandbox.command("node", ["scripts/ci/main.ts", "only-images-in-state"], {}, { input: state });
  };

  test("accepts the state that this program creates", async () => {
    expect(await checkState()).toMatchObject({ code: 0, output: "The state holds only images and tags." });
  });

  test("refuses the provider of a planted plugin", async () => {
    await withPlanted("images", evil("images"), async () => {
      const { code, output } = await checkState();
      expect(code).toBe(1);
      expect(output).toContain("a pulumi:providers:evil");
    });
  });
});

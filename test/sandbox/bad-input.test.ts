import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type Problem, problemsError } from "../../problems/problem.ts";
import { nameStack } from "../../problems/setting-commands.ts";
import { parseSettings } from "../../settings/parse.ts";
import { copyProgram } from "../support/copy-program.ts";
import { stackConfig } from "../support/default-settings.ts";
import { REPOSITORY } from "../support/google.ts";
import { failed } from "../support/outcome.ts";
import type { Outcome } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const STACK_FILE = "Pulumi.sandbox.yaml";

const sandbox = useSandbox();
/** A copy of the project for the tests to break. It uses the same stack as the sandbox's project. */
let folder: string;
const here = (): string[] => ["--cwd", folder, "--stack", "sandbox"];
/** The original text of its files, by name. */
const originals = new Map<string, string>();
let before: string;

beforeAll(async () => {
  nameStack("sandbox");
  folder = join(sandbox.scratch, "program");
  await copyProgram(folder);
  const settings = parse(await readFile(join(sandbox.root, "project", STACK_FILE), "utf8")) as StackFile;
  settings.config["hyperion-registry:sourceDir"] = sandbox.sources;
  await writeFile(join(folder, STACK_FILE), stringify(settings));
  await sandbox.up(...here());
  for (const file of [STACK_FILE, "images.json"]) {
    originals.set(file, await readFile(join(folder, file), "utf8"));
  }
  before = await readState();
});

interface StackFile {
  config: Record<string, unknown>;
}

/** Everything that a run can change: the state of the stack, the emulated APIs, the images. */
async function readState(): Promise<string> {
  // Decrypted, because each run encrypts differently.
  const state = await sandbox.pulumi("stack", "export", "--show-secrets", ...here());
  const { deployment } = JSON.parse(state) as { deployment: { manifest: unknown; resources: unknown[] } };
  const emulator = await Promise.all(
    ["", ":getIamPolicy", "/dockerImages"].map((path) => sandbox.google("GET", REPOSITORY + path)),
  );
  // Without the manifest, which has the time of the last run.
  return JSON.stringify({ resources: deployment.resources, emulator }, null, 1);
}

afterEach(async () => {
  for (const [file, text] of originals) await writeFile(join(folder, file), text);
  expect(await readState()).toBe(before);
});

/** Adds settings to those of the stack. */
async function configure(settings: Record<string, unknown>): Promise<void> {
  const file = parse(originals.get(STACK_FILE) ?? "") as StackFile;
  Object.assign(file.config, settings);
  await writeFile(join(folder, STACK_FILE), stringify(file));
}

/** Runs `up`, which has to fail; returns its last error, without the engine's indentation. */
async function failUp(): Promise<string> {
  const outcome = await sandbox.tryPulumi(
    ...["up", "--yes", "--skip-preview", "--suppress-outputs", "--non-interactive", "--color", "never"],
    ...here(),
  );
  return lastError(outcome);
}

function lastError(outcome: Outcome): string {
  const output = failed(outcome);
  expect(output).not.toMatch(/^ *at .*[:(]|node:internal|\.[jt]s:\d+:\d+|unhandled/m);
  expect(output).toBe(stripVTControlCharacters(output));
  // oxlint-disable-next-line no-control-regex -- an error must not contain them
  expect(output).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f]/);
  const error = output.slice(output.lastIndexOf("error: ") + "error: ".length);
  return error
    .replace(/\n+Resources:[^]*/, "")
    .replace(/^ +$/gm, "")
    .replace(/^ {4}/gm, "")
    .trim();
}

/** The program's error for these settings, whose words unit tests check. Here the engine passes the settings and prints it. */
function errorOfSettings(settings: Record<string, unknown>, ...more: Problem[]): string {
  const { config } = parse(originals.get(STACK_FILE) ?? "") as StackFile;
  const { problems } = parseSettings(stackConfig({ ...config, ...settings }), []);
  expect(problems.length).toBeGreaterThanOrEqual(Object.keys(settings).length - more.length);
  return problemsError([...problems, ...more]).message;
}

/** The program's error for these problems. */
function errorOfProblems(problems: [where: string, found: string, allowed: string, fix: string][]): string {
  return problemsError(problems.map(([where, found, allowed, fix]) => ({ where, found, allowed, fix })))
    .message;
}

test("an invalid stack file stops up with the line", async () => {
  const text = "config:\n  gcp:project: a\n  gcp:project: b\n";
  await writeFile(join(folder, STACK_FILE), text);
  expect(await failUp()).toMatch(/line 3: mapping key "gcp:project" already defined at line 2$/);
});

describe("invalid settings, all in one message", () => {
  test("characters that shells, templates and terminals interpret", async () => {
    const settings = {
      "hyperion-registry:repositoryId": "a\u001b[31mred\u001b[0m",
      "hyperion-registry:version": "$(touch${IFS}pwned)",
      "hyperion-registry:revision": "line\nbreak",
      "hyperion-registry:githubRepository": "{{x}}/${y}",
      "hyperion-registry:ciServiceAccountId": "nul\0byte",
      "hyperion-registry:buildCache": "a".repeat(20_000),
      "hyperion-registry:readers": ["usr:a'b;`id`@example.com"],
      "hyperion-registry:labels": { "e\u001b[2J": "x", "it's; id": "x" },
    };
    await configure(settings);
    expect(await failUp()).toBe(errorOfSettings(settings));
  });

  test("unknown keys, values that Google does not accept, contradictions, and missing folders", async () => {
    const settings = {
      "hyperion-registry:publicAcess": true,
      "hyperion-registy:version": "1.0.0",
      "gcp:project": "Production",
      "gcp:region": "us-central1-a",
      "hyperion-registry:overrideDomainRestrictedSharing": true,
      "hyperion-registry:githubOwnerId": "7",
      "hyperion-registry:sourceDir": "nowhere",
    };
    await configure(settings);
    expect(await failUp()).toBe(
      errorOfSettings(settings, {
        where: "hyperion-registry:sourceDir",
        found: '"nowhere", which is not a folder',
        allowed: "the folder of the Hyperion sources, which holds coordinator/",
        fix: "npm run pulumi -- config set hyperion-registry:sourceDir PATH --stack sandbox",
      }),
    );
  });

  test("a secret where plain text is expected, without its value", async () => {
    await sandbox.pulumi("config", "set", "--secret", "version", "hush-1.0.0", ...here());
    const message = await failUp();
    expect(message).toBe(
      errorOfProblems([
        [
          "hyperion-registry:version",
          "a secret",
          "plain text: a semantic version such as 1.4.2",
          "npm run pulumi -- config set hyperion-registry:version VERSION --stack sandbox",
        ],
      ]),
    );
    await sandbox.pulumi("config", "set", "hyperion-registry:version", "1.4.2", ...here());
    expect(await readFile(join(folder, STACK_FILE), "utf8")).toContain("version: 1.4.2");
  });
});

const EDIT_IMAGES = "edit images.json   # what changed: git diff images.json";

test("an invalid images.json and a missing context are in one message", async () => {
  const [first, second, third] = JSON.parse(originals.get("images.json") ?? "") as Record<string, string>[];
  const catalogue = [
    first,
    { ...second, context: undefined, file: "x" },
    first,
    { ...third, context: "nowhere" },
  ];
  await writeFile(join(folder, "images.json"), JSON.stringify(catalogue));
  expect(await failUp()).toBe(
    errorOfProblems([
      [
        "images.json[1].context",
        "nothing",
        "a folder below the sources, such as coordinator/ui",
        EDIT_IMAGES,
      ],
      [
        "images.json[1].file",
        "a key that does not exist",
        "name, context, dockerfile, cacheStage, and nothing else",
        EDIT_IMAGES,
      ],
      ["images.json[2].name", '"hyperion-coordinator-mcp"', "each name once", EDIT_IMAGES],
      [
        join(sandbox.sources, "nowhere"),
        "no sources of hyperion-ui",
        "the layout of images.json below hyperion-registry:sourceDir",
        "npm run pulumi -- config set hyperion-registry:sourceDir PATH --stack sandbox",
      ],
    ]),
  );
});

import {
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { CREDENTIAL_HELPER } from "../../sandbox/services/environment.ts";
import images from "../../images.json" with { type: "json" };
import { countRequests, requestsWithoutChanges } from "../load/requests.ts";
import { copyProgram } from "../support/copy-program.ts";
import { passed } from "../support/outcome.ts";
import { whileReadOnly } from "../support/read-only.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const sandbox = useSandbox();

/**
 * The scripts that Node.js runs: the program, and the fake providers if the real ones are not installed. The limits are what
 * each loads with Node.js 24, plus a margin. With everything that the SDK can load, the program has 1010 modules.
 */
const LOADED = [
  { script: "@pulumi/pulumi/cmd/run/index.js", most: { modules: 440, bytes: 4_200_000 } },
  { script: "providers/gcp/main.ts", most: { modules: 50, bytes: 900_000 } },
  { script: "providers/docker/main.ts", most: { modules: 150, bytes: 1_800_000 } },
];

describe("a preview that finds nothing to do", () => {
  /** A record of test/support/counting.cjs about a Node.js process of a preview. */
  interface Counted {
    started?: string;
    spawned?: string;
    counted?: string;
    modules?: number;
    bytes?: number;
  }

  let counted: Counted[];
  let requests: Record<string, number>;

  beforeAll(async () => {
    const COUNTED = join(sandbox.scratch, "counted");
    const NODE_OPTIONS = `--require ${join(repositoryRoot, "test/support/counting.cjs")}`;
    const { sent } = await countRequests(sandbox, async () => {
      const args = ["preview", "--expect-no-changes", "--stack", "sandbox"];
      passed(await sandbox.command("pulumi", args, { NODE_OPTIONS, COUNTED }));
    });
    requests = sent;
    const lines = (await readFile(COUNTED, "utf8")).trim().split("\n");
    counted = lines.map((line) => JSON.parse(line) as Counted);
  });

  test("loads no more modules and bytes than its limits", () => {
    expect(counted.filter(({ counted: script }) => script?.includes("pulumi/cmd/run/"))).toHaveLength(1);
    for (const { counted: script, modules = Infinity, bytes = Infinity } of counted) {
      const most = LOADED.find((each) => script?.endsWith(each.script))?.most;
      if (most === undefined) continue;
      expect(modules, script).toBeLessThanOrEqual(most.modules);
      expect(bytes, script).toBeLessThanOrEqual(most.bytes);
    }
  });

  test("starts only the program and the fake providers, which start only the credential helper and git", () => {
    // A process without a script is the language host, which looks for the SDK.
    const started = counted.flatMap(({ started: script = "" }) => (script === "" ? [] : [script]));
    expect(started.filter((script) => !LOADED.some((each) => script.endsWith(each.script)))).toEqual([]);
    expect(started).toEqual([...new Set(started)]);
    expect(started).toContainEqual(expect.stringContaining("pulumi/cmd/run/index.js"));
    const spawned = counted.flatMap(({ spawned: file }) => file ?? []).map((file) => basename(file));
    // The program and the docker plugin each get the login; the real plugin is not counted.
    const helper = `docker-credential-${CREDENTIAL_HELPER}`;
    expect(new Set(spawned)).toEqual(new Set([helper, "git"]));
    expect(spawned.filter((file) => file === helper).length).toBeLessThanOrEqual(2);
  });

  test("requests only the policy, and the tags and platforms of each image", () => {
    expect(requests).toEqual(requestsWithoutChanges(images.length));
  });
});

describe("the code that runs is the code on disk", () => {
  let folder: string;
  let module: string;
  let cache: string;

  beforeAll(async () => {
    folder = join(sandbox.scratch, "program");
    await copyProgram(folder);
    await separateModules();
    module = join(folder, "said.ts");
    cache = join(folder, "node_modules/.cache/hyperion-registry");
    const index = await readFile(join(folder, "index.ts"), "utf8");
    await writeFile(
      join(folder, "index.ts"),
      `import { said } from "./said.ts";\nconsole.log(said());\n${index}`,
    );
    await cp(join(sandbox.root, "project/Pulumi.sandbox.yaml"), join(folder, "Pulumi.sandbox.yaml"));
    const options = ["--cwd", folder, "--stack", "sandbox"];
    await sandbox.set({ sourceDir: sandbox.sources }, ...options);
  });

  // Puts the first version into the cache.
  beforeEach(async () => {
    await writeModule("before");
    expect(await printedWord()).toBe("before");
  });

  /** Gives the copy its own node_modules, with its own cache. */
  async function separateModules(): Promise<void> {
    const own = join(folder, "node_modules");
    const shared = join(repositoryRoot, "node_modules");
    await rm(own);
    await mkdir(own);
    for (const name of await readdir(shared)) {
      if (name !== ".cache") await symlink(join(shared, name), join(own, name));
    }
  }

  /** Writes the module that prints a word. All words have the same length, so that the file sizes do not differ. */
  function writeModule(word: "before" | "after!", file = module): Promise<void> {
    return writeFile(file, `export function said(): string {\n  return "SAID ${word}";\n}\n`);
  }

  async function preview(): Promise<string> {
    const args = ["preview", "--cwd", folder, "--stack", "sandbox", "--color", "never"];
    return (await sandbox.tryPulumi(...args)).output;
  }

  /** Runs a preview to its end; returns the word that it prints. */
  async function printedWord(): Promise<string | undefined> {
    const output = await preview();
    expect(output).toMatch(/^Resources:/m);
    return /SAID (\S+)/.exec(output)?.[1];
  }

  async function cacheFiles(): Promise<string[]> {
    const entries = await readdir(cache, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  const LONG_AGO = new Date("2001-01-01");
  const FAR_AHEAD = new Date("2096-01-01");

  test("after an edit", async () => {
    expect(await cacheFiles()).not.toEqual([]);
    await writeModule("after!");
    expect(await printedWord()).toBe("after!");
  });

  test("after an edit with a clock that was set back", async () => {
    for (const file of [module, ...(await cacheFiles())]) await utimes(file, FAR_AHEAD, FAR_AHEAD);
    await writeModule("after!");
    expect(await printedWord()).toBe("after!");
  });

  test("after an older file replaces the newer one", async () => {
    await writeModule("after!", `${module}.older`);
    await utimes(`${module}.older`, LONG_AGO, LONG_AGO);
    await rename(`${module}.older`, module);
    expect(await printedWord()).toBe("after!");
  });

  test("after a switch of branches, there and back", async () => {
    const git = async (...args: string[]): Promise<void> => {
      const who = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
      passed(await sandbox.command("git", ["-C", folder, ...who, ...args]));
    };
    await git("init", "--quiet", "--initial-branch=main");
    await git("add", "said.ts");
    await git("commit", "--quiet", "--message=before");
    await git("switch", "--quiet", "--create", "other");
    await writeModule("after!");
    await git("commit", "--quiet", "--all", "--message=after");
    expect(await printedWord()).toBe("after!");
    await git("switch", "--quiet", "main");
    expect(await printedWord()).toBe("before");
    await git("switch", "--quiet", "other");
    expect(await printedWord()).toBe("after!");
  });

  test("with a read-only cache", async () => {
    await writeModule("after!");
    await whileReadOnly(sandbox, cache, async () => {
      expect(await printedWord()).toBe("after!");
      await writeModule("before");
      expect(await printedWord()).toBe("before");
    });
  });

  test("in two previews at once without a cache", async () => {
    await rm(cache, { recursive: true });
    await writeModule("after!");
    expect(await Promise.all([printedWord(), printedWord()])).toEqual(["after!", "after!"]);
    expect(await printedWord()).toBe("after!");
  });

  test("with truncated cache files", async () => {
    for (const file of await cacheFiles()) await truncate(file, Math.floor((await stat(file)).size / 2));
    expect(await printedWord()).toBe("before");
    await writeModule("after!");
    expect(await printedWord()).toBe("after!");
  });

  test("and a stack trace names the line of the source, also from the cache", async () => {
    const source =
      "interface Gone {\n  here: never;\n}\n\nexport function said(): Gone {\n  throw new Error('no');\n}\n";
    await writeFile(module, source);
    for (const from of ["source", "cache"]) expect(await preview(), from).toMatch(/said\.ts:6:9\b/);
  });
});

import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { CREDENTIAL_HELPER } from "../../sandbox/services/environment.ts";
import images from "../../images.json" with { type: "json" };
import { countRequests, requestsWithoutChanges } from "../load/requests.ts";
import { passed } from "../support/outcome.ts";
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

import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { type Outcome, runCommand } from "../test/support/sandbox.ts";

const start = join(import.meta.dirname, "start.cjs");
const root = dirname(import.meta.dirname);

/** Runs code in Node.js, after these files. */
function outcomeOf(code: string, preloaded: readonly string[]): Promise<Outcome> {
  const options = preloaded.flatMap((file) => ["--require", file]);
  return runCommand(process.execPath, [...options, "--eval", code], process.env, { cwd: root });
}

/** Returns what the code prints, by default after start.cjs. */
async function run(code: string, preloaded: readonly string[] = [start]): Promise<string> {
  const outcome = await outcomeOf(code, preloaded);
  expect(outcome.code, outcome.output).toBe(0);
  return outcome.stdout;
}

// The compiler takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** The modules that are loaded, as an expression. */
const LOADED = `Object.values(require.cache).filter((module) => module.children.length > 0 ||
  /typescript\\.js$/.test(module.filename)).map((module) => module.filename).join("\\n")`;

describe("loading on first use", () => {
  /** Uses of what start.cjs delays, as the body of an async function, and a part of the result. */
  const uses: [use: string, code: string, expected: string][] = [
    [
      "serialises a function",
      `const factor = { by: 3 };
       return (await pulumi.runtime.serializeFunction((x) => x * factor.by)).text;`,
      "factor",
    ],
    [
      "reports where a function is that cannot be serialised",
      `await require("@pulumi/pulumi/runtime/closure/v8Hooks").isInitializedAsync();
       const broken = require("node:vm").runInThisContext("const most = Math.max.bind(Math); () => most(1, 2)", "/program.js");
       return pulumi.runtime.serializeFunction(broken).catch(({ message }) => message);`,
      "program.js(1,",
    ],
    [
      "finds the packages that a function needs",
      `return [...(await pulumi.runtime.computeCodePaths()).keys()].sort().join();`,
      "node_modules/",
    ],
    [
      "lists the automation API",
      `return [...Object.keys(pulumi.automation), "LocalWorkspace" in pulumi.automation].join();`,
      "true",
    ],
    [
      "traces",
      `const tracing = require("@pulumi/pulumi/cmd/run/tracing");
       tracing.start("http://127.0.0.1:9/api/v2/spans");
       const span = tracing.newSpan("x");
       return [span.constructor.name, span.name, span.resource.attributes["service.name"]].join(" ");`,
      "SpanImpl x nodejs-runtime",
    ],
  ];
  const program = `const pulumi = require("@pulumi/pulumi");
    require("@pulumi/pulumi/cmd/run/tracing");
    const loaded = ${LOADED};
    Promise.all([${uses.map(([, code]) => `(async () => { ${code} })()`).join()}]).then((results) => {
      console.log(JSON.stringify({ loaded, results }));
      process.exit();
    });`;
  interface Printed {
    loaded: string;
    results: string[];
  }
  let lazy: Printed;
  let eager: Printed;

  beforeAll(async () => {
    lazy = JSON.parse(await run(program)) as Printed;
    eager = JSON.parse(await run(program, [])) as Printed;
  });

  test("the SDK and its runner do not load the compiler, npm's tree reader and tracing", () => {
    const heavy = /typescript\.js|arborist|zipkin|sdk-trace-node|instrumentation-grpc|source-map-support/;
    expect(eager.loaded).toMatch(heavy);
    expect(lazy.loaded).not.toMatch(heavy);
  });

  test.each(uses.map(([use, , expected], index) => [use, index, expected] as const))(
    "%s in the same way as without start.cjs",
    (_, index, expected) => {
      expect(lazy.results[index]).toContain(expected);
      expect(lazy.results[index]).toBe(eager.results[index]);
    },
  );
});

test("reports the scripts that were loaded before the debugger session", async () => {
  const code = `const hooks = require("@pulumi/pulumi/runtime/closure/v8Hooks");
    hooks.getSessionAsync().then(() => { for (let id = 1; id < 9999; id++)
      if (hooks.getScriptUrl(String(id))?.endsWith("start.cjs")) console.log("found"); })`;
  expect(await run(code)).toBe("found");
});

test("refuses an old Node.js in one line", async () => {
  const old = join(import.meta.dirname, "old-node.fixture.cjs");
  expect(await outcomeOf("", [old, start])).toEqual({
    code: 1,
    stdout: "",
    output: expect.stringMatching(
      /^hyperion-registry needs Node\.js \S+ or newer; this is v20\.0\.0 \(.+$/,
    ) as unknown,
  });
});

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "../../test/support/sandbox.ts";
import { repositoryRoot } from "../lib/paths.ts";

/** Of Node.js 24, and some more for what a fake provider is going to learn. Counted things, not clocks: docs/PERFORMANCE.md. */
const MODULES = 50;
const BYTES = 800_000;

/** Starts a command, reads a line of it, and ends it. */
const UNTIL_PORT = 'exec 3< <(exec "$0" "$@"); read -r port <&3; echo "$port"; kill $!; wait $!';

interface Counted {
  counted?: string;
  modules: number;
  bytes: number;
  builtins: string[];
}

/** What a fake provider has loaded when it prints its port, by test/support/counting.cjs. */
async function loadedBy(name: string): Promise<Counted | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "hyp-start-"));
  const COUNTED = join(folder, "counted");
  try {
    const preload = join(repositoryRoot, "test/support/counting.cjs");
    const script = join(import.meta.dirname, name, "main.ts");
    const args = [process.execPath, "--require", preload, script];
    const { code, output } = await runCommand("bash", ["-c", UNTIL_PORT, ...args], {
      ...process.env,
      COUNTED,
    });
    expect(code, output).toBe(0);
    expect(output).toMatch(/^\d+$/);
    const lines = (await readFile(COUNTED, "utf8")).trim().split("\n");
    return lines.map((line) => JSON.parse(line) as Counted).find(({ counted }) => counted === script);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test.each(["gcp", "docker"])(
  "the %s provider prints its port before it loads more than it needs",
  async (name) => {
    const { modules = Infinity, bytes = Infinity, builtins = [] } = (await loadedBy(name)) ?? {};
    expect(modules).toBeLessThanOrEqual(MODULES);
    expect(bytes).toBeLessThanOrEqual(BYTES);
    // Behind `fetch`, and behind an `import` of node:http, whose WebSocket is of it.
    expect(builtins).not.toContain("NativeModule internal/deps/undici/undici");
    expect(builtins).toContain("NativeModule http2");
  },
);

import { execa } from "execa";
import { execFile } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { sandboxPaths } from "../../sandbox/paths";
import { MAINTAINER } from "../../sandbox/cloud/store";
import { mintAccessToken } from "../../sandbox/cloud/tokens";
import { childrenOf, signal } from "../../sandbox/services/processes";
import { type Sandbox, startSandbox } from "../sandbox/sandbox";
import { expectDeclared, mend, pluginsOf } from "./declared";
import { seenIn } from "./seen";
import { survives } from "./survives";

const execute = promisify(execFile);
const UP = ["up", "--yes", "--skip-preview"];
const MOMENTS = 10;
const HOUR = 3600;
const READ_ONLY = /read-only file system|permission denied/;
const REFRESH = "`pulumi refresh --clear-pending-creates`";

let sandbox: Sandbox;
let plugins: string;
let reader = 0;

beforeAll(async () => {
  sandbox = await startSandbox();
  plugins = await pluginsOf(sandbox);
  await sandbox.pulumi("config", "set", "githubRepository", "HyperionWave-AI/dev-squad");
});

afterEach(() => sandbox.google("DELETE", "sandbox/faults"));
afterAll(() => sandbox.stop());

describe("Process", () => {
  let steps: number;

  beforeAll(async () => {
    await sandbox.pulumi("destroy", "--yes", "--skip-preview");
    const { output } = await started().ended;
    steps = stepsIn(output);
    await expectDeclared(sandbox);
  });

  for (let moment = 1; moment <= MOMENTS; moment++)
    survives(
      `\`pulumi up\` from nothing is killed (SIGKILL) at ${moment} of ${MOMENTS + 1} of its way`,
      async () => {
        await sandbox.pulumi("destroy", "--yes", "--skip-preview");
        const up = started();
        await up.killedAt((steps * moment) / (MOMENTS + 1));
        const { code, output } = await sandbox.tryPulumi(...UP);
        expect(code, output).not.toBe(0);
        await sandbox.pulumi("cancel", "--yes");
        await withoutPendingCreates();
        await sandbox.pulumi("config", "set", "adoptExisting", "true");
        try {
          const row = await mended("what was made is found and adopted", lockedIn(output));
          // How far it came differs from run to run.
          return { ...row, next: `\`pulumi cancel\`, ${REFRESH}, \`adoptExisting\`, then \`pulumi up\`` };
        } finally {
          await sandbox.pulumi("config", "set", "adoptExisting", "false");
        }
      },
    );

  survives("Ctrl-C", async () => {
    const up = await waitingUp(4000);
    up.interrupt();
    const { output } = await up.failed();
    return mended(
      "what is under way is given up, nothing else begun; the state is written and unlocked",
      seenIn(output, /: cancelled$/),
    );
  });

  survives("Ctrl-C twice", async () => {
    const up = await waitingUp(20_000);
    up.interrupt();
    await up.prints(/again to terminate|cancel/i);
    up.interrupt();
    const { output } = await up.failed();
    await sandbox.google("DELETE", "sandbox/faults");
    await withoutPendingCreates();
    const row = await mended("ended at once, its lock given back", seenIn(output, /terminat|cancell?ed/i));
    return { ...row, next: `${REFRESH}, then ${row.next}` };
  });

  survives("two `pulumi up` at once", async () => {
    const first = await waitingUp(6000);
    const { code, output } = await sandbox.tryPulumi(...UP);
    expect(code, output).not.toBe(0);
    expect(await first.ended).toMatchObject({ exitCode: 0 });
    await expectDeclared(sandbox);
    return { happened: "the first one ends unharmed", seen: lockedIn(output), next: "none", plugins };
  });

  survives("the state cannot be written", async () => {
    const writable = await withReadOnlyState();
    await declareReader();
    const { code, output } = await sandbox.tryPulumi(...UP);
    await writable();
    expect(code, output).not.toBe(0);
    return mended("nothing is changed", seenIn(output, READ_ONLY));
  });

  survives("the state can no longer be written in the middle", async () => {
    const up = await waitingUp(4000);
    const writable = await withReadOnlyState();
    const { output } = await up.failed();
    await writable();
    await sandbox.pulumi("cancel", "--yes");
    await withoutPendingCreates();
    const row = await mended("the grant is found, not made twice", seenIn(output, READ_ONLY));
    return { ...row, next: `\`pulumi cancel\`, ${REFRESH}, then ${row.next}` };
  });

  for (const [words, seconds] of [
    ["ahead of", 1.1 * HOUR],
    ["behind", -1.1 * HOUR],
  ] as const)
    survives(`tokens of a clock that is an hour ${words} the registry's`, async () => {
      await appendFile(join(sandbox.sources, "coordinator/ui/server.js"), "\n");
      await fault({ kind: "clock-skew", seconds });
      const { code, output } = await sandbox.tryPulumi(...UP);
      expect(code, output).not.toBe(0);
      await sandbox.google("DELETE", "sandbox/faults");
      return mended(
        "nothing is pushed; the tags stay on the builds before",
        seenIn(output, /unauthorized|denied/),
      );
    });

  survives("Google's clock is past the token's hour", async () => {
    const token = sandbox.env["GOOGLE_OAUTH_ACCESS_TOKEN"];
    await declareReader();
    sandbox.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = await mintAccessToken(sandbox.root, MAINTAINER);
    await fault({ kind: "clock-skew", seconds: 1.1 * HOUR });
    const { code, output } = await sandbox.tryPulumi(...UP);
    sandbox.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = token;
    await sandbox.google("DELETE", "sandbox/faults");
    expect(code, output).not.toBe(0);
    return mended("nothing is changed", seenIn(output, /Google answered 401/));
  });
});

describe("Sandbox services", () => {
  for (const service of ["cloud", "registry", "docker"])
    survives(`${service} is killed`, async (skip) => {
      const { stdout } = await sandbox.run("status", "--json");
      if (service === "docker" && stdout.includes("Docker engine (yours)"))
        return skip("the engine is the machine's own: the sandbox leaves it alone");
      const killed = await sandbox.run("fault", service, "kill");
      expect(killed.code, killed.output).toBe(0);
      const healed = await sandbox.run("up");
      expect(healed.code, healed.output).toBe(0);
      await expectDeclared(sandbox);
      return {
        happened: "started again, with its data",
        seen: `\`${killed.stdout.trim()}\``,
        next: "`npm run sandbox`",
        plugins,
      };
    });
});

/** `pulumi up`, on its way. */
function started() {
  const child = execa("pulumi", UP, { env: sandbox.env, extendEnv: false, reject: false, all: true });
  let printed = "";
  child.all.on("data", (data: Buffer) => (printed += data.toString()));
  const ended = child.then(({ exitCode, signal: by, all }) => ({ exitCode, signal: by, output: all }));
  const pid = child.pid ?? 0;
  return {
    ended,
    /** Kills it once so many steps were printed, with its plugins and the program: they have process groups of their own. */
    killedAt: async (steps: number) => {
      child.all.on("data", () => {
        if (stepsIn(printed) >= steps)
          for (const each of [pid, ...descendantsOf(pid)]) signal(each, "SIGKILL");
      });
      expect(await ended).toMatchObject({ signal: "SIGKILL" });
    },
    /** Waits until something is said. */
    prints: (words: RegExp) =>
      expect.poll(() => words.test(printed), { timeout: 60_000, interval: 10 }).toBe(true),
    interrupt: () => {
      signal(pid, "SIGINT");
    },
    failed: async () => {
      const outcome = await ended;
      expect(outcome.exitCode, outcome.output).not.toBe(0);
      return outcome;
    },
  };
}

/** How many creations an update has printed the beginning or the end of. */
function stepsIn(output: string): number {
  return output.match(/ creat(ing|ed)\b/g)?.length ?? 0;
}

/** What a killed update was about to create stays in the state as pending until a refresh. */
async function withoutPendingCreates(): Promise<void> {
  await sandbox.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates");
}

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** An `up` that waits for Google to write a new grant, for so many milliseconds. */
async function waitingUp(milliseconds: number) {
  await declareReader();
  await fault({ kind: "delay", milliseconds, method: "POST", route: "*repositories*:setIamPolicy" });
  const up = started();
  const taken = async () => (await sandbox.google("GET", "sandbox/faults")).body;
  await expect.poll(taken, { timeout: 60_000 }).toEqual({ faults: [] });
  return up;
}

async function declareReader(): Promise<void> {
  await sandbox.pulumi("config", "set", "--path", "readers[0]", `user:reader${reader++}@example.com`);
}

async function fault(settings: Record<string, unknown>): Promise<void> {
  expect(await sandbox.google("POST", "sandbox/faults", settings)).toMatchObject({ status: 200 });
}

function lockedIn(output: string): string {
  return seenIn(output, /currently locked by 1 lock/);
}

async function mended(happened: string, seen: string) {
  const next = await mend(sandbox, "up");
  await expectDeclared(sandbox);
  return { happened, seen, next, plugins };
}

/** Makes the folder of the state read-only; returns what makes it writable again. */
async function withReadOnlyState(): Promise<() => Promise<unknown>> {
  const { state } = sandboxPaths(sandbox.root);
  if (process.getuid?.() === 0) {
    await execute("mount", ["--bind", state, state]);
    await execute("mount", ["-o", "remount,ro,bind", state]);
    return () => execute("umount", ["--lazy", state]);
  }
  await execute("chmod", ["-R", "a-w", state]);
  return () => execute("chmod", ["-R", "u+w", state]);
}

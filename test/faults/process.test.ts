import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect } from "vitest";
import { mintAccessToken, MAINTAINER } from "../../sandbox/lib/tokens.ts";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { failed, passed, stdoutOf } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { expectDeclared } from "./declared.ts";
import { clearFaults, fault, published } from "../support/google.ts";
import {
  expectFailure,
  fixAllByUp,
  fixByUp,
  pluginsOf,
  runAndSummarize,
  summarize,
  withoutPrompt,
} from "./fixing.ts";
import { startSlowUp, startUp } from "./running.ts";
import { seenIn } from "./seen.ts";
import { hasOwnEngine, survives, survivesAll } from "./survives.ts";

const KILLS = 5;
/** The number of steps after which each `up` is killed. Together, they are fewer than the steps of an `up` from nothing. */
const STEPS = 9;
const HOUR = 3600;
const READ_ONLY = /read-only file system|permission denied/;
const CLEAR_PENDING = "`pulumi refresh --clear-pending-creates`";

const sandbox = useSandbox();
let readers = 0;

beforeAll(async () => {
  await sandbox.set({ githubRepository: "HyperionWave-AI/dev-squad" });
});

afterEach(() => clearFaults(sandbox));

describe("Process", () => {
  survives(`\`pulumi up\` from nothing is killed (SIGKILL) ${KILLS} times, each time later`, async () => {
    await runAndSummarize(sandbox, "destroy");
    await startUp(sandbox).killAt(STEPS);
    const seen = lockedIn(await expectFailure(sandbox));
    for (let kill = 2; kill <= KILLS; kill++) {
      await unlock();
      await startUp(sandbox).killAt(STEPS);
    }
    await unlock();
    const row = await fixByUp(sandbox, "the next run finds and keeps what was created", seen);
    // The counts of this `up` differ from run to run.
    return { ...row, next: `\`pulumi cancel\`, ${CLEAR_PENDING}, then \`pulumi up\`` };
  });

  const AHEAD = "tokens come from a clock that is an hour ahead of the registry's";
  const BEHIND = "tokens come from a clock that is an hour behind the registry's";
  survivesAll([AHEAD, BEHIND], async () => {
    await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n");
    const tags = await published(sandbox);
    const upWithSkew = async (seconds: number) => {
      await fault(sandbox, { kind: "clock-skew", seconds });
      const output = await expectFailure(sandbox);
      await clearFaults(sandbox);
      expect(await published(sandbox)).toEqual(tags);
      return {
        happened: "nothing is pushed; the tags do not move",
        seen: seenIn(output, /unauthorized|denied/),
      };
    };
    return fixAllByUp(sandbox, {
      [AHEAD]: await upWithSkew(1.1 * HOUR),
      [BEHIND]: await upWithSkew(-1.1 * HOUR),
    });
  });

  survives("the services of the sandbox are killed", async () => {
    const services = ["emulator", "registry", ...((await hasOwnEngine(sandbox)) ? ["docker"] : [])];
    const killed: string[] = [];
    for (const service of services) killed.push(stdoutOf(await sandbox.run("fault", service, "kill")));
    passed(await sandbox.run("up"));
    await expectDeclared(sandbox);
    return {
      happened: "started again, with its data",
      seen: killed.map((line) => `\`${line}\``).join("\n"),
      next: "`npm run sandbox`",
      plugins: pluginsOf(sandbox),
    };
  });
});

// A run without images is shorter.
describe("Process, without images", () => {
  beforeAll(async () => {
    await sandbox.set({ publishImages: "false" });
  });

  survivesAll(["the state cannot be written", "Google's clock is past the token's hour"], async () => {
    await declareReader();
    const readOnly = await withReadOnlyState(() => expectFailure(sandbox));
    const token = await mintAccessToken(sandbox.root, MAINTAINER);
    await fault(sandbox, { kind: "clock-skew", seconds: 1.1 * HOUR });
    const expired = await expectFailure(sandbox.with({ GOOGLE_OAUTH_ACCESS_TOKEN: token }));
    await clearFaults(sandbox);
    return fixAllByUp(sandbox, {
      "the state cannot be written": { happened: "nothing is changed", seen: seenIn(readOnly, READ_ONLY) },
      "Google's clock is past the token's hour": {
        happened: "nothing is changed",
        seen: seenIn(expired, /(Google|Artifact Registry) answered 401/),
      },
    });
  });

  survivesAll(["Ctrl-C", "two `pulumi up` at once"], async () => {
    await declareReader();
    const up = await startSlowUp(sandbox, 4000);
    up.interrupt();
    const interrupted = failed(await up.ended);

    await declareReader();
    const first = await startSlowUp(sandbox, 6000);
    const locked = lockedIn(await expectFailure(sandbox));
    const { code, output } = await first.ended;
    expect(code).toBe(0);
    await expectDeclared(sandbox);
    const plugins = pluginsOf(sandbox);
    return {
      "Ctrl-C": {
        happened:
          "running operations finish or are cancelled, no others start; the state is written and unlocked",
        seen: seenIn(interrupted, /update cancell?ed/),
        next: summarize("up", output),
        plugins,
      },
      "two `pulumi up` at once": { happened: "the first run completes", seen: locked, next: "none", plugins },
    };
  });

  survivesAll(["the state becomes read-only during an update", "Ctrl-C twice"], async () => {
    await declareReader();
    const writing = await startSlowUp(sandbox, 4000);
    const readOnly = await withReadOnlyState(async () => failed(await writing.ended));
    await unlock();

    await declareReader();
    const up = await startSlowUp(sandbox, 20_000);
    up.interrupt();
    await up.waitForOutput(/press \^C again/);
    up.interrupt();
    const interrupted = failed(await up.ended);
    await clearFaults(sandbox);
    await clearPendingCreates();

    return fixAllByUp(sandbox, {
      "the state becomes read-only during an update": {
        happened: "the grant is found, not created twice",
        seen: seenIn(readOnly, READ_ONLY),
        before: `\`pulumi cancel\`, ${CLEAR_PENDING}, then `,
      },
      "Ctrl-C twice": {
        happened: "stops at once and releases its lock",
        seen: seenIn(interrupted, /terminat|cancel/i),
        before: `${CLEAR_PENDING}, then `,
      },
    });
  });
});

/** Declares one more reader, who has no grant yet. */
async function declareReader(): Promise<void> {
  await sandbox.set({ [`readers[${readers}]`]: `user:reader${readers++}@example.com` });
}

/** Recovers the state of a killed update. */
async function unlock(): Promise<void> {
  await sandbox.pulumi("cancel", "--yes");
  await clearPendingCreates();
}

/** Removes the pending creations of a killed update from the state. */
async function clearPendingCreates(): Promise<void> {
  await sandbox.pulumi(...withoutPrompt("refresh"), "--clear-pending-creates");
}

function lockedIn(output: string): string {
  return seenIn(output, /currently locked by 1 lock/);
}

/** Runs `work` while the folder of the state is read-only. */
async function withReadOnlyState<T>(work: () => Promise<T>): Promise<T> {
  const { state } = sandboxPaths(sandbox.root);
  const run = async (...[name, ...args]: [string, ...string[]]) => passed(await sandbox.command(name, args));
  const isRoot = process.getuid?.() === 0;
  // Modes do not apply to root.
  if (isRoot) {
    await run("mount", "--bind", state, state);
    await run("mount", "-o", "remount,ro,bind", state);
  } else await run("chmod", "-R", "a-w", state);
  try {
    return await work();
  } finally {
    if (isRoot) await run("umount", "--lazy", state);
    else await run("chmod", "-R", "u+w", state);
  }
}

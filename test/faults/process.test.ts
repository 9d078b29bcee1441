import { afterEach, beforeAll, describe } from "vitest";
import { mintAccessToken, MAINTAINER } from "../../sandbox/lib/tokens.ts";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import type { ServiceName } from "../../sandbox/lib/supervision.ts";
import { switchService } from "../../sandbox/services/switch.ts";
import { failed, passed } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { expectDeclared } from "./declared.ts";
import { clearFaults, fault } from "../support/google.ts";
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

const KILLS = 3;
/** The number of steps after which each `up` is killed. Together, they are fewer than the steps of an `up` from nothing. */
const STEPS = 15;
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

  survives("the services of the sandbox are killed", async () => {
    const services: ServiceName[] = ["emulator", "registry"];
    if (hasOwnEngine(sandbox)) services.push("docker");
    const killed: string[] = [];
    for (const service of services)
      killed.push(await switchService(service, "kill", sandboxPaths(sandbox.root)));
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

  const READ_ONLY_AT_START = "the state cannot be written";
  const READ_ONLY_LATER = "the state becomes read-only during an update";
  const EXPIRED = "Google's clock is past the token's hour";
  survivesAll(
    [READ_ONLY_AT_START, EXPIRED, "Ctrl-C", "two `pulumi up` at once", READ_ONLY_LATER, "Ctrl-C twice"],
    async () => {
      await declareReader();
      const notStarted = await withReadOnlyState(() => expectFailure(sandbox));
      const token = await mintAccessToken(sandbox.root, MAINTAINER);
      await fault(sandbox, { kind: "clock-skew", seconds: 1.1 * HOUR });
      const expired = await expectFailure(sandbox.with({ GOOGLE_OAUTH_ACCESS_TOKEN: token }));
      await clearFaults(sandbox);

      const ending = await startSlowUp(sandbox, 2000);
      ending.interrupt();
      const interrupted = failed(await ending.ended);

      await declareReader();
      const first = await startSlowUp(sandbox, 6000);
      const locked = lockedIn(await expectFailure(sandbox));
      const next = summarize("up", passed(await first.ended));

      // Only now: the run before removed the images from the state, and a run that writes the state often keeps it from becoming
      // read-only.
      await declareReader();
      const writing = await startSlowUp(sandbox, 2000);
      const notWritten = await withReadOnlyState(async () => failed(await writing.ended));
      await unlock();

      await declareReader();
      const stopped = await startSlowUp(sandbox, 20_000);
      stopped.interrupt();
      await stopped.waitForOutput(/press \^C again/);
      stopped.interrupt();
      const interruptedTwice = failed(await stopped.ended);
      await clearFaults(sandbox);
      await clearPendingCreates();

      const plugins = pluginsOf(sandbox);
      return {
        [READ_ONLY_AT_START]: {
          happened: "nothing is changed",
          seen: seenIn(notStarted, READ_ONLY),
          next,
          plugins,
        },
        [EXPIRED]: {
          happened: "nothing is changed",
          seen: seenIn(expired, /(Google|Artifact Registry) answered 401/),
          next,
          plugins,
        },
        "Ctrl-C": {
          happened:
            "running operations finish or are cancelled, no others start; the state is written and unlocked",
          seen: seenIn(interrupted, /update cancell?ed/),
          next,
          plugins,
        },
        "two `pulumi up` at once": {
          happened: "the first run completes",
          seen: locked,
          next: "none",
          plugins,
        },
        ...(await fixAllByUp(sandbox, {
          [READ_ONLY_LATER]: {
            happened: "the grant is found, not created twice",
            seen: seenIn(notWritten, READ_ONLY),
            before: `\`pulumi cancel\`, ${CLEAR_PENDING}, then `,
          },
          "Ctrl-C twice": {
            happened: "stops at once and releases its lock",
            seen: seenIn(interruptedTwice, /terminat|cancel/i),
            before: `${CLEAR_PENDING}, then `,
          },
        })),
      };
    },
  );
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

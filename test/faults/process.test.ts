import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect } from "vitest";
import { mintAccessToken, MAINTAINER } from "../../sandbox/lib/tokens.ts";
import { sandboxPaths } from "../../sandbox/lib/paths.ts";
import { failed, passed, stdoutOf } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { expectDeclared } from "./declared.ts";
import { clearFaults, fault } from "../support/google.ts";
import { expectFailure, fixByUp, pluginsOf, runAndSummarize, withoutPrompt } from "./fixing.ts";
import { startSlowUp, startUp, stepsIn } from "./running.ts";
import { seenIn } from "./seen.ts";
import { requireOwnEngine, survives } from "./survives.ts";

const MOMENTS = 5;
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
  /** The number of steps that an `up` from nothing prints. */
  let steps: number;

  beforeAll(async () => {
    await runAndSummarize(sandbox, "destroy");
    steps = stepsIn((await startUp(sandbox).ended).output);
    await expectDeclared(sandbox);
  });

  for (let moment = 1; moment <= MOMENTS; moment++)
    survives(
      `\`pulumi up\` from nothing is killed (SIGKILL) after ${moment}/${MOMENTS + 1} of its steps`,
      async () => {
        await runAndSummarize(sandbox, "destroy");
        await startUp(sandbox).killAt((steps * moment) / (MOMENTS + 1));
        const seen = lockedIn(await expectFailure(sandbox));
        await sandbox.pulumi("cancel", "--yes");
        await clearPendingCreates();
        const row = await fixByUp(sandbox, "the next run finds and keeps what was created", seen);
        // The counts of the `up` differ from run to run.
        return { ...row, next: `\`pulumi cancel\`, ${CLEAR_PENDING}, then \`pulumi up\`` };
      },
    );

  survives("Ctrl-C", async () => {
    await declareReader();
    const up = await startSlowUp(sandbox, 4000);
    up.interrupt();
    const output = failed(await up.ended);
    return fixByUp(
      sandbox,
      "running operations finish or are cancelled, no others start; the state is written and unlocked",
      seenIn(output, /update cancell?ed/),
    );
  });

  survives("Ctrl-C twice", async () => {
    await declareReader();
    const up = await startSlowUp(sandbox, 20_000);
    up.interrupt();
    await up.waitForOutput(/press \^C again/);
    up.interrupt();
    const output = failed(await up.ended);
    await clearFaults(sandbox);
    await clearPendingCreates();
    const row = await fixByUp(
      sandbox,
      "stops at once and releases its lock",
      seenIn(output, /terminat|cancel/i),
    );
    return { ...row, next: `${CLEAR_PENDING}, then ${row.next}` };
  });

  survives("two `pulumi up` at once", async () => {
    await declareReader();
    const first = await startSlowUp(sandbox, 6000);
    const seen = lockedIn(await expectFailure(sandbox));
    expect(await first.ended).toMatchObject({ code: 0 });
    await expectDeclared(sandbox);
    return { happened: "the first run completes", seen, next: "none", plugins: pluginsOf(sandbox) };
  });

  survives("the state cannot be written", async () => {
    await declareReader();
    const output = await withReadOnlyState(() => expectFailure(sandbox));
    return fixByUp(sandbox, "nothing is changed", seenIn(output, READ_ONLY));
  });

  survives("the state becomes read-only during an update", async () => {
    await declareReader();
    const up = await startSlowUp(sandbox, 4000);
    const output = await withReadOnlyState(async () => failed(await up.ended));
    await sandbox.pulumi("cancel", "--yes");
    await clearPendingCreates();
    const row = await fixByUp(sandbox, "the grant is found, not created twice", seenIn(output, READ_ONLY));
    return { ...row, next: `\`pulumi cancel\`, ${CLEAR_PENDING}, then ${row.next}` };
  });

  for (const [words, seconds] of [
    ["ahead of", 1.1 * HOUR],
    ["behind", -1.1 * HOUR],
  ] as const)
    survives(`tokens come from a clock that is an hour ${words} the registry's`, async () => {
      await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "\n");
      await fault(sandbox, { kind: "clock-skew", seconds });
      const output = await expectFailure(sandbox);
      await clearFaults(sandbox);
      return fixByUp(
        sandbox,
        "nothing is pushed; the tags do not move",
        seenIn(output, /unauthorized|denied/),
      );
    });

  survives("Google's clock is past the token's hour", async () => {
    await declareReader();
    const token = await mintAccessToken(sandbox.root, MAINTAINER);
    await fault(sandbox, { kind: "clock-skew", seconds: 1.1 * HOUR });
    const output = await expectFailure(sandbox.with({ GOOGLE_OAUTH_ACCESS_TOKEN: token }));
    await clearFaults(sandbox);
    return fixByUp(sandbox, "nothing is changed", seenIn(output, /(Google|Artifact Registry) answered 401/));
  });
});

describe("Sandbox services", () => {
  for (const service of ["emulator", "registry", "docker"])
    survives(`${service} is killed`, async (skip) => {
      if (service === "docker") await requireOwnEngine(sandbox, skip);
      const killed = stdoutOf(await sandbox.run("fault", service, "kill"));
      passed(await sandbox.run("up"));
      await expectDeclared(sandbox);
      return {
        happened: "started again, with its data",
        seen: `\`${killed}\``,
        next: "`npm run sandbox`",
        plugins: pluginsOf(sandbox),
      };
    });
});

/** Declares a reader who has no grant yet. */
async function declareReader(): Promise<void> {
  await sandbox.set({ "readers[0]": `user:reader${readers++}@example.com` });
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

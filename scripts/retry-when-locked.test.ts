import { expect, it } from "vitest";
import { useShell } from "../test/support/shell.ts";

const script = "scripts/retry-when-locked.sh";
const locked =
  "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.";

const shell = useShell();

/** A fake pulumi that finds the stack locked a number of times. */
function lockedFor(times: number): void {
  shell.fake(
    "pulumi",
    `record "$@"; echo shown
[ "$(wc -l <"$RECORD")" -gt ${times} ] || { echo '${locked.replaceAll("'", "'\\''")}' >&2; exit 255; }`,
  );
}

it("tries again until the lock is gone", () => {
  lockedFor(2);
  const { status, stdout, stderr } = shell.run(script, ["--every", "0", "pulumi", "up", "--yes"]);
  expect(status).toBe(0);
  expect(shell.calls()).toEqual(["pulumi up --yes", "pulumi up --yes", "pulumi up --yes"]);
  expect(stdout).toBe("shown\nshown\nshown\n");
  expect(stderr).toBe(`${locked}\nLocked; trying again in 0 s\n`.repeat(2));
});

it("gives up after the time, and names the command for a stale lock", () => {
  lockedFor(100);
  const { status, stderr } = shell.run(script, [
    "--for",
    "0",
    "--every",
    "0",
    "pulumi",
    "up",
    "--stack",
    "dev",
  ]);
  expect(status).toBe(255);
  expect(shell.calls()).toHaveLength(1);
  expect(stderr).toMatch(
    /Still locked after \d+ s\. If that run has ended, remove its lock: npm run pulumi -- cancel --stack dev\n$/,
  );
});

/** The error in the output of the docker plugin (ddev/ddev#8136 has the engine's message). */
const race =
  'error reading build output: failed to prepare extraction snapshot "extract-771744199-MArs sha256:1d41": parent snapshot sha256:e644 does not exist: not found';

it.each([
  [1, 0, 2],
  [2, 1, 2],
])("runs once more after a build that lost a layer: %i of them", (times, expected, calls) => {
  // Without a terminal, Pulumi reports a failed resource on stdout.
  const lines = [`echo '${race}'`, "exit 1"].join("; ");
  shell.fake("pulumi", `record "$@"; [ "$(wc -l <"$RECORD")" -gt ${times} ] || { ${lines}; }`);
  const { status, stdout, stderr } = shell.run(script, ["pulumi", "up"]);
  expect(status).toBe(expected);
  expect(shell.calls()).toHaveLength(calls);
  const said = "The Docker engine lost a layer of a build (moby/buildkit#6521); trying once more\n";
  expect([stdout, stderr]).toEqual([`${race}\n`.repeat(times), said]);
});

it("ends after any other failure", () => {
  shell.fake("pulumi", 'record "$@"; echo "error: no such bucket" >&2; exit 3');
  const { status, stderr } = shell.run(script, ["pulumi", "up"]);
  expect([status, stderr]).toEqual([3, "error: no such bucket\n"]);
  expect(shell.calls()).toHaveLength(1);
});

it.each([[[]], [["--for"]], [["--every", "soon", "pulumi"]]])("prints the usage for %j", (args) => {
  const { status, stderr } = shell.run(script, args);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^Usage: /);
});

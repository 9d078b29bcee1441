import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wantsCurrentEngine } from "../../sandbox/machine/install-engine.ts";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { runCommand, type Outcome } from "../support/sandbox.ts";

// The sandbox runs in a network namespace with one interface besides loopback. It leads nowhere, and counts the packets. The
// name server and all addresses except loopback are behind it.

const INTERFACE = "outside";

let folder: string;
let network: string;
/** Why this machine cannot have such a namespace. */
let obstacle: string | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hyp-"));
  network = basename(folder);
  obstacle = await createNamespace();
});

afterAll(async () => {
  if (obstacle === undefined) await sandbox("down", "--force");
  await run("ip", "netns", "delete", network);
  await rm(folder, { recursive: true, force: true });
});

function run(...[name, ...args]: [string, ...string[]]): Promise<Outcome> {
  return runCommand(name, args, { ...process.env, HYPERION_SANDBOX_DIR: join(folder, "sb") });
}

/** Runs a command in the namespace, with its name server. (`ip netns exec` hides the cgroups.) */
function inside(...words: string[]): Promise<Outcome> {
  const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
  const enter = ["nsenter", `--net=/run/netns/${network}`, "unshare", "--mount"] as const;
  return run(...enter, "sh", "-c", script, join(folder, "resolv.conf"), ...words);
}

/** Runs `npm run sandbox -- WORDS`, which has to succeed, in the namespace. */
async function sandbox(...words: string[]): Promise<void> {
  const { code, output } = await inside(process.execPath, join(repositoryRoot, "sandbox/cli.ts"), ...words);
  expect(code, output).toBe(0);
}

/** Creates the namespace; returns the reason if that fails. */
async function createNamespace(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root can create a network namespace";
  await writeFile(join(folder, "resolv.conf"), "nameserver 192.0.2.1\n");
  const commands: [string, ...string[]][] = [
    ["ip", "netns", "add", network],
    ["ip", "-n", network, "link", "set", "lo", "up"],
    // Without IPv6, because each end of the interface would announce itself.
    [
      "nsenter",
      `--net=/run/netns/${network}`,
      "sh",
      "-c",
      "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6",
    ],
    ["ip", "-n", network, "link", "add", INTERFACE, "type", "veth", "peer", "name", "nowhere"],
    ["ip", "-n", network, "address", "add", "192.0.2.2/24", "dev", INTERFACE],
    ["ip", "-n", network, "link", "set", INTERFACE, "up"],
    ["ip", "-n", network, "link", "set", "nowhere", "up"],
    ["ip", "-n", network, "neighbour", "add", "192.0.2.1", "lladdr", "02:00:00:00:00:01", "dev", INTERFACE],
    ["ip", "-n", network, "route", "add", "default", "via", "192.0.2.1"],
  ];
  for (const command of commands) {
    const { code, output } = await run(...command);
    if (code !== 0) return `${command.join(" ")}: ${output}`;
  }
  return undefined;
}

/** The number of packets sent out so far. */
async function countSent(): Promise<number> {
  const { stdout } = await inside("cat", "/proc/net/dev");
  const [, counters = ""] = new RegExp(`${INTERFACE}:(.*)`).exec(stdout) ?? [];
  return Number(counters.trim().split(/\s+/)[9]);
}

test("packets that leave loopback are counted", async ({ skip }) => {
  if (obstacle !== undefined) skip(obstacle);
  const before = await countSent();
  await inside("timeout", "1", "getent", "hosts", "compute.googleapis.com");
  expect(await countSent()).toBeGreaterThan(before);
});

test("no packet leaves loopback in the lifecycle of the stack", { timeout: 900_000 }, async ({ skip }) => {
  if (obstacle !== undefined) skip(obstacle);
  skip(wantsCurrentEngine(process.env), "Docker 29 asks Docker Hub for the base image of each build");
  // Not counted: a new sandbox looks for downloads, and the engine retries for a while.
  await sandbox("up", "--no-stack");
  let before: number;
  do {
    before = await countSent();
    await sleep(6_000);
  } while (before !== (await countSent()));
  const sent: Record<string, number> = {};
  for (const words of [
    ["up"],
    ["pulumi", "config", "set", "publicAccess", "true"],
    ["pulumi", "up", "--yes", "--refresh"],
    ["pulumi", "destroy", "--yes", "--skip-preview"],
  ]) {
    before = await countSent();
    await sandbox(...words);
    sent[words.join(" ")] = (await countSent()) - before;
  }
  expect(
    Object.values(sent).every((packets) => packets === 0),
    JSON.stringify(sent),
  ).toBe(true);
  // At its start, the sandbox polls "/".
  expect(await readFile(join(folder, "sb", "logs", "emulator.log"), "utf8")).not.toMatch(
    /does not know (?!GET \/\.)/,
  );
});

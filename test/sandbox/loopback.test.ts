import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { runCommand, type Outcome } from "../support/sandbox.ts";

// A network of its own, in which the only way out leads nowhere and counts what is sent there: names are asked of a
// server on that way, and every address but loopback's is behind it.

const WAY_OUT = "outside";

let folder: string;
let network: string;
/** Why there can be no such network on this machine. */
let hindrance: string | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hyp-"));
  network = basename(folder);
  hindrance = await isolate();
});

afterAll(async () => {
  if (hindrance === undefined) await sandbox("down", "--force");
  await run("ip", "netns", "delete", network);
  await rm(folder, { recursive: true, force: true });
});

function run(...[name, ...args]: [string, ...string[]]): Promise<Outcome> {
  return runCommand(name, args, { ...process.env, HYPERION_SANDBOX_DIR: join(folder, "sb") });
}

/** A command in that network, where names are asked of a server on the way out. (`ip netns exec` hides the cgroups.) */
function inside(...words: string[]): Promise<Outcome> {
  const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
  const enter = ["nsenter", `--net=/run/netns/${network}`, "unshare", "--mount"] as const;
  return run(...enter, "sh", "-c", script, join(folder, "resolv.conf"), ...words);
}

/** `npm run sandbox -- WORDS` in that network, which has to succeed. */
async function sandbox(...words: string[]): Promise<void> {
  const { code, output } = await inside(process.execPath, join(repositoryRoot, "sandbox/cli.ts"), ...words);
  expect(code, output).toBe(0);
}

/** Makes the network; returns why it cannot be made. */
async function isolate(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root makes a network of its own";
  await writeFile(join(folder, "resolv.conf"), "nameserver 192.0.2.1\n");
  const commands: [string, ...string[]][] = [
    ["ip", "netns", "add", network],
    ["ip", "-n", network, "link", "set", "lo", "up"],
    // Or each end of the way announces itself.
    [
      "nsenter",
      `--net=/run/netns/${network}`,
      "sh",
      "-c",
      "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6",
    ],
    ["ip", "-n", network, "link", "add", WAY_OUT, "type", "veth", "peer", "name", "nowhere"],
    ["ip", "-n", network, "address", "add", "192.0.2.2/24", "dev", WAY_OUT],
    ["ip", "-n", network, "link", "set", WAY_OUT, "up"],
    ["ip", "-n", network, "link", "set", "nowhere", "up"],
    ["ip", "-n", network, "neighbour", "add", "192.0.2.1", "lladdr", "02:00:00:00:00:01", "dev", WAY_OUT],
    ["ip", "-n", network, "route", "add", "default", "via", "192.0.2.1"],
  ];
  for (const command of commands) {
    const { code, output } = await run(...command);
    if (code !== 0) return `${command.join(" ")}: ${output}`;
  }
  return undefined;
}

/** How many packets were sent out so far. */
async function sentOut(): Promise<number> {
  const { stdout } = await inside("cat", "/proc/net/dev");
  const [, counters = ""] = new RegExp(`${WAY_OUT}:(.*)`).exec(stdout) ?? [];
  return Number(counters.trim().split(/\s+/)[9]);
}

test("whatever leaves loopback is counted", async ({ skip }) => {
  if (hindrance !== undefined) skip(hindrance);
  const before = await sentOut();
  await inside("timeout", "1", "getent", "hosts", "compute.googleapis.com");
  expect(await sentOut()).toBeGreaterThan(before);
});

test("nothing does in the life of the stack", { timeout: 900_000 }, async ({ skip }) => {
  if (hindrance !== undefined) skip(hindrance);
  // A new sandbox looks for what it can download, and the engine gives up asking only after a while.
  await sandbox("up");
  const sent: Record<string, number> = {};
  for (const words of [
    ["pulumi", "preview", "--expect-no-changes"],
    ["pulumi", "config", "set", "publicAccess", "true"],
    ["pulumi", "up", "--yes", "--skip-preview"],
    ["pulumi", "refresh", "--yes"],
    ["pulumi", "destroy", "--yes", "--skip-preview"],
    ["up"],
  ]) {
    const before = await sentOut();
    await sandbox(...words);
    sent[words.join(" ")] = (await sentOut()) - before;
  }
  expect(
    Object.values(sent).every((packets) => packets === 0),
    JSON.stringify(sent),
  ).toBe(true);
  // At its start the sandbox asks for "/" until there is an answer.
  expect(await readFile(join(folder, "sb", "logs", "emulator.log"), "utf8")).not.toMatch(
    /does not know (?!GET \/\.)/,
  );
});

import { readFileSync } from "node:fs";
import { SandboxError } from "../../lib/errors.ts";
import { systemPath } from "../../lib/files.ts";
import { type SandboxPaths, shortName } from "../../lib/paths.ts";
import { run } from "../../lib/run-command.ts";
import { chooseSubnets, type EngineSubnets, routedBlocks } from "./subnet.ts";

// Engines on one machine share the packet filter, and each clears the chains named DOCKER at its start. So the sandbox's
// engine does not use the filter. The sandbox adds a few rules with its name. The engine's proxy serves published ports.

const env = { PATH: systemPath() };

/** Name of the engine's bridge; at most 15 characters. */
export function bridgeName(paths: SandboxPaths): string {
  return `hyp${shortName(paths.root)}`;
}

/** Creates the engine's bridge, and the rules that let containers reach the network. */
export async function makeNetwork(paths: SandboxPaths): Promise<EngineSubnets> {
  await removeNetwork(paths);
  const bridge = bridgeName(paths);
  const start = parseInt(shortName(paths.root), 16);
  const subnets = chooseSubnets(routedBlocks(readFileSync("/proc/net/route", "utf8")), start);
  if (!subnets)
    throw new SandboxError("every network between 10.192.0.0 and 10.254.255.255 has a route on this machine");
  await ip(["link", "add", "name", bridge, "type", "bridge"]);
  await ip(["address", "add", subnets.bridge, "dev", bridge]);
  await ip(["link", "set", bridge, "up"]);
  // Fails without a packet filter in the kernel. Then builds have no network.
  for (const rule of rules(paths, subnets.all))
    await iptables(["-w", "10", "-t", rule.table, "-I", ...rule.rule]);
  return subnets;
}

export async function removeNetwork(paths: SandboxPaths): Promise<void> {
  const bridge = bridgeName(paths);
  const shown = await run("ip", ["link", "show", bridge], { env });
  if (shown.ok) await run("ip", ["link", "delete", bridge], { env });
  for (const table of ["filter", "nat"]) {
    const listed = await iptables(["-w", "10", "-t", table, "-S"]);
    for (const line of listed.split("\n"))
      if (line.startsWith("-A") && line.includes(comment(paths)))
        await iptables(["-w", "10", "-t", table, "-D", ...line.replaceAll('"', "").split(" ").slice(1)]);
  }
}

function comment(paths: SandboxPaths): string {
  return `hyperion-sandbox-${shortName(paths.root)}`;
}

function rules(paths: SandboxPaths, all: string): { table: "filter" | "nat"; rule: string[] }[] {
  const named = ["-m", "comment", "--comment", comment(paths)];
  const answers = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
  return [
    { table: "nat", rule: ["POSTROUTING", "-s", all, "!", "-d", all, ...named, "-j", "MASQUERADE"] },
    { table: "filter", rule: ["FORWARD", "-s", all, ...named, "-j", "ACCEPT"] },
    { table: "filter", rule: ["FORWARD", "-d", all, ...answers, ...named, "-j", "ACCEPT"] },
  ];
}

async function ip(args: string[]): Promise<void> {
  const result = await run("ip", args, { env });
  if (!result.ok)
    throw new SandboxError(
      `a network bridge for the sandbox's Docker engine could not be created: ${result.failure}\n` +
        "In a container, this needs the capability NET_ADMIN. Or start a Docker engine and set DOCKER_HOST.",
    );
}

async function iptables(args: string[]): Promise<string> {
  const result = await run("iptables", args, { env });
  return result.ok ? result.stdout : "";
}

import { describe, expect, test } from "vitest";
import { mountsBelow } from "../machine/engine/leftovers.ts";
import { chooseSubnets, routedBlocks } from "../machine/engine/subnet.ts";
import { findUserEngine, whyApart, whyElsewhere } from "./user-engine.ts";

describe("the user's engine", () => {
  test.each(["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "tcp://localhost:2375"])(
    "%s can reach this machine's loopback",
    (host) => {
      expect(whyElsewhere(host)).toBeUndefined();
    },
  );

  test.each(["tcp://10.0.0.7:2375", "ssh://me@build.example", "npipe:////./pipe/docker_engine", "nonsense"])(
    "%s cannot",
    (host) => {
      expect(whyElsewhere(host)).toContain("another machine");
    },
  );

  test("an engine in a virtual machine or in another network namespace cannot", () => {
    const plain = { ServerVersion: "28.0.0", OperatingSystem: "Debian GNU/Linux 12", SecurityOptions: null };
    expect(whyApart(plain)).toBeUndefined();
    expect(whyApart({ ...plain, OperatingSystem: "Docker Desktop" })).toContain("virtual machine");
    expect(whyApart({ ...plain, SecurityOptions: ["name=seccomp", "name=rootless"] })).toContain("rootless");
  });

  test.each([
    ["with a docker command, if the machine has one", process.env["PATH"]],
    ["without one", "/nowhere"],
  ])("an engine that does not answer is not used, and its address is reported, %s", async (_, PATH) => {
    const host = "unix:///nowhere/docker.sock";
    expect(await findUserEngine({ DOCKER_HOST: host, PATH })).toEqual({
      host,
      usable: false,
      why: "no engine answers there",
    });
  });

  test("DOCKER_HOST is ignored in a shell with the sandbox's variables", async () => {
    const found = await findUserEngine({
      HYPERION_SANDBOX_SHELL: "/x",
      DOCKER_HOST: "unix:///x/docker.sock",
    });
    expect(found.host).toBe("unix:///var/run/docker.sock");
  });
});

describe("the engine's network", () => {
  const header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
  const route = (destination: string, mask: string) =>
    `eth0\t${destination}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0\n`;

  test("has no route on this machine", () => {
    // 0.0.0.0/0 (the default route), 10.192.0.0/16, 10.193.0.0/20
    const table =
      header + route("00000000", "00000000") + route("0000C00A", "0000FFFF") + route("0000C10A", "00F0FFFF");
    const taken = routedBlocks(table);
    expect(taken.map((block) => block.prefix)).toEqual([16, 20]);
    expect(chooseSubnets(taken, 0)).toEqual({
      all: "10.193.16.0/20",
      bridge: "10.193.16.1/24",
      pool: "10.193.24.0/21",
      poolSize: 26,
    });
  });

  test("differs between two sandboxes", () => {
    expect(chooseSubnets([], 1)?.all).not.toBe(chooseSubnets([], 2)?.all);
    expect(chooseSubnets([], 0xffffffff)?.all).toMatch(/^10\.(19[2-9]|2[0-4]\d|25[0-4])\./);
  });

  test("is undefined if all networks are in use", () => {
    expect(chooseSubnets([{ base: 10 * 2 ** 24, prefix: 8 }], 0)).toBeUndefined();
  });
});

test("finds the mounts of the engine, the innermost first", () => {
  const mountinfo = [
    "1 0 8:1 / / rw - ext4 /dev/vda rw",
    "2 1 0:1 / /tmp/a\\040b/docker rw - tmpfs tmpfs rw",
    "3 2 0:2 / /tmp/a\\040b/docker/data/overlay2/x/merged rw - overlay overlay rw",
    "4 1 0:3 / /tmp/a\\040b/docker-other rw - tmpfs tmpfs rw",
  ].join("\n");
  expect(mountsBelow(mountinfo, ["/tmp/a b/docker"])).toEqual([
    "/tmp/a b/docker/data/overlay2/x/merged",
    "/tmp/a b/docker",
  ]);
});

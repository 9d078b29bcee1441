/** A block of IPv4 addresses; `base` is the first address. */
export interface Block {
  base: number;
  prefix: number;
}

/** Addresses of a sandbox's engine: its bridge, and a pool for Compose's networks. */
export interface EngineSubnets {
  /** All addresses, for the packet filter. */
  all: string;
  /** Address and prefix length of the bridge. */
  bridge: string;
  pool: string;
  /** Prefix length of each network in the pool. */
  poolSize: number;
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

function size(block: Block): number {
  return 2 ** (32 - block.prefix);
}

function overlaps(one: Block, other: Block): boolean {
  return one.base < other.base + size(other) && other.base < one.base + size(one);
}

/** Networks with a route, from the content of `/proc/net/route`, except the default route. */
export function routedBlocks(table: string): Block[] {
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .filter((fields) => fields.length > 7)
    .map((fields) => {
      const mask = fromLittleEndian(fields[7] ?? "");
      return { base: fromLittleEndian(fields[1] ?? ""), prefix: bits(mask) };
    })
    .filter((block) => block.prefix > 0);
}

function fromLittleEndian(hex: string): number {
  return Buffer.from(hex, "hex").readUInt32LE();
}

function bits(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}

const FIRST = 10 * 2 ** 24 + 192 * 2 ** 16;
const CHOICES = 1008;
const PREFIX = 20;

/**
 * Chooses addresses between 10.192.0.0 and 10.254.255.255 without a route.
 *
 * @param start any number; different sandboxes start their search at different places.
 * @returns undefined if all are in use.
 */
export function chooseSubnets(taken: Block[], start: number): EngineSubnets | undefined {
  for (let step = 0; step < CHOICES; step++) {
    const block = { base: FIRST + ((start + step) % CHOICES) * 2 ** (32 - PREFIX), prefix: PREFIX };
    if (taken.some((other) => overlaps(block, other))) continue;
    return {
      all: `${dotted(block.base)}/${PREFIX}`,
      bridge: `${dotted(block.base + 1)}/24`,
      pool: `${dotted(block.base + size(block) / 2)}/${PREFIX + 1}`,
      poolSize: 26,
    };
  }
  return undefined;
}

import fc from "fast-check";
import compare from "semver/functions/compare.js";
import { expect, test } from "vitest";
import { z } from "zod";
import { KEPT_TAG_PREFIXES, lines, ownTags, type Release } from "../components/images/tags/names.ts";
import { rollBack } from "../components/images/tags/roll-back.ts";
import { type Build, setTags } from "../components/images/tags/set-tags.ts";
import type { TagStore } from "../components/images/tags/store.ts";
import type { TagTarget } from "../components/images/tags/versions.ts";
import { cleanupPolicies, cleanupPolicy, deletedVersions } from "../components/repository/cleanup-rules.ts";

type Builds = ReadonlyMap<string, Build>;

/** A run of the program: a release, or a rollback. */
type Command = Partial<Release> & { rollback?: boolean; overwrite?: boolean };

/** A request that waits for its turn. */
interface Request {
  run: Run;
  perform: () => void;
}

interface Run {
  command: Command;
  builds: Builds;
  end: "done" | "refused" | "killed" | undefined;
  requests: number;
}

/** A registry, and the sources of its images. Requests are atomic, and run one at a time in a chosen order. */
class World {
  readonly tags = new Map(["mcp", "bridge", "ui"].map((image) => [image, new Map<string, string>()]));
  readonly runs: Run[] = [];
  readonly #sources = new Map<string, number>();
  readonly #failures: unknown[] = [];
  #waiting: Request[] = [];

  edit(image: string): void {
    this.#sources.set(image, (this.#sources.get(image) ?? 0) + 1);
  }

  /** Starts a run, whose requests wait for `perform`. */
  start(command: Command): Run {
    const builds = new Map(
      [...this.tags.keys()].map((image) => {
        const digest = `${image}@${this.#sources.get(image) ?? 0}`;
        return [image, { digest, platforms: platformsOf(digest) }];
      }),
    );
    const run: Run = { command, builds, end: undefined, requests: 0 };
    this.runs.push(run);
    const { rollback, version = "", overwrite } = command;
    const store = this.#store(run);
    const result =
      rollback === true
        ? rollBack(store, version)
        : store
            .read()
            .then((registry) =>
              setTags(store, { registry, release: command, builds, overwrite: overwrite === true }),
            );
    result
      .then(
        () => {
          run.end ??= "done";
        },
        (error: unknown) => {
          if (!/no tag of the version was set|nothing was changed/.test(String(error))) throw error;
          run.end ??= "refused";
        },
      )
      .catch((error: unknown) => {
        this.#failures.push(error);
      });
    return run;
  }

  /** Performs requests until every run has ended; `choose` gives the position of the next one. */
  async perform(choose: (waiting: number) => number, most = Infinity): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      for (const failure of this.#failures) throw failure;
      if (this.#waiting.length === 0) return;
      const [request] = this.#waiting.splice(choose(this.#waiting.length) % this.#waiting.length, 1);
      if (request === undefined) continue;
      if (request.run.requests >= most) {
        request.run.end = "killed";
        this.#waiting = this.#waiting.filter(({ run }) => run !== request.run);
        continue;
      }
      request.run.requests += 1;
      request.perform();
    }
  }

  #store(run: Run): TagStore {
    const request = <T>(perform: () => T): Promise<T> =>
      new Promise((resolve) => {
        this.#waiting.push({
          run,
          perform: () => {
            resolve(perform());
          },
        });
      });
    const set = ({ image, tag, digest }: TagTarget): void => {
      const before = this.tags.get(image)?.get(tag);
      if (before !== undefined && before !== digest && OWN_TAGS.has(tag) && run.command.overwrite !== true)
        throw new Error(`${image}:${tag} moved from ${before} to ${digest}`);
      this.tags.get(image)?.set(tag, digest);
    };
    return {
      lagMs: 0,
      // One request per image.
      read: async () => {
        const lists = await Promise.all(
          [...this.tags].map(([image, tags]) => request(() => [image, new Map(tags)] as const)),
        );
        return new Map(lists);
      },
      create: (target) =>
        request(() => {
          if (this.tags.get(target.image)?.has(target.tag) === true) return false;
          set(target);
          return true;
        }),
      set: (target) =>
        request(() => {
          set(target);
        }),
      platforms: (_, digest) => request(() => platformsOf(digest)),
    };
  }
}

function platformsOf(digest: string): ReadonlyMap<string, string> {
  return new Map(["linux/amd64", "linux/arm64"].map((platform) => [platform, `${digest}-${platform}`]));
}

function isWithdrawn({ tags }: World, version: string): boolean {
  return [...tags.values()].some((ofImage) => ofImage.has(`withdrawn-${version}`));
}

/** Whether floating tags may point to a version, computed from the tags in another way than the program does. */
function isEligible(world: World, version: string): boolean {
  const images = [...world.tags.values()];
  if (isWithdrawn(world, version)) return false;
  const own = images.filter((tags) => ["", "v", "build-"].some((prefix) => tags.has(prefix + version)));
  return own.length > 0 && own.every((tags) => tags.has(version));
}

const LINE_OF: Record<string, RegExp> = Object.fromEntries(
  ["0.1", "0.2", "1.0", "1.1", "1.2", "1", "2.0", "2"].map((tag) => [
    tag,
    new RegExp(`^${tag.replaceAll(".", "\\.")}\\.[0-9.]+$`),
  ]),
);
LINE_OF["latest"] = /^[0-9.]+$/;

/** The version that a floating tag should point to. */
function expectedVersion(world: World, tag: string): string | undefined {
  return VERSIONS.filter((version) => LINE_OF[tag]?.test(version) && isEligible(world, version))
    .sort(compare)
    .at(-1);
}

function checkFloating(world: World, tag: string): void {
  const expected = expectedVersion(world, tag);
  if (expected === undefined) return;
  for (const [image, tags] of world.tags) {
    const digest = tags.get(`build-${expected}`);
    if (digest !== undefined && tags.get(tag) !== digest)
      throw new Error(`${image}:${tag} points to ${tags.get(tag)}, not to ${expected}, ${digest}`);
  }
}

/** The own tags when first seen. They never move, and those of a version come from one run. */
class Published {
  readonly #digests = new Map<string, string>();

  check(world: World): void {
    for (const version of VERSIONS) {
      const found = new Map<string, string>();
      for (const [image, tags] of world.tags)
        for (const tag of ownTags(version)) {
          const digest = tags.get(tag);
          if (digest === undefined) continue;
          const before = this.#digests.get(`${image}:${tag}`) ?? digest;
          if (before !== digest) throw new Error(`${image}:${tag} moved from ${before} to ${digest}`);
          this.#digests.set(`${image}:${tag}`, digest);
          found.set(image, digest);
          for (const [platform, child] of platformsOf(digest))
            expect(tags.get(`build-${platform.slice(6)}-${version}`)).toBe(child);
        }
      const isOneBuild =
        found.size === 0 ||
        world.runs.some(({ builds }) =>
          [...found].every(([image, digest]) => builds.get(image)?.digest === digest),
        );
      if (!isOneBuild) throw new Error(`${version} mixes builds: ${[...found.values()].join(", ")}`);
    }
  }

  /** Overwriting a version moves it on purpose. */
  forget(version: string): void {
    for (const key of this.#digests.keys())
      if (ownTags(version).some((tag) => key.endsWith(`:${tag}`))) this.#digests.delete(key);
  }
}

const VERSIONS = [
  "0.1.0",
  "0.2.0",
  "1.0.0",
  "1.0.1",
  "1.0.2",
  "1.1.0",
  "1.1.1",
  "1.2.0-rc.1",
  "1.2.0",
  "2.0.0",
  "2.0.1",
];

const OWN_TAGS = new Set(VERSIONS.flatMap(ownTags));

interface Step {
  kind:
    | "release"
    | "rollback"
    | "overwrite"
    | "main"
    | "unnamed"
    | "edit"
    | "add"
    | "lose"
    | "remove"
    | "together";
  first: number;
  second: number;
  /** Positions of the next requests. */
  turns: number[];
  /** The number of requests after which each run is killed. */
  most: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    ...(["release", "release", "release", "rollback", "overwrite", "main", "unnamed"] as const),
    ...(["edit", "edit", "add", "lose", "remove", "together", "together", "together"] as const),
  ),
  first: fc.nat(VERSIONS.length - 1),
  second: fc.nat(VERSIONS.length - 1),
  turns: fc.array(fc.nat(20), { minLength: 1, maxLength: 40 }),
  most: fc.oneof(fc.constant(Infinity), fc.nat(40)),
});

async function takeStep(
  world: World,
  published: Published,
  { kind, first, second, turns, most }: Step,
): Promise<void> {
  const [version = "", other = ""] = [VERSIONS[first], VERSIONS[second]];
  let turn = 0;
  const choose = (): number => turns[(turn += 1) % turns.length] ?? 0;
  const run = async (...commands: Command[]): Promise<void> => {
    const runs = commands.map((command, index) => {
      if (index > 0 && first % 2 === 0)
        for (const image of second % 2 === 0 ? ["mcp", "ui"] : ["ui"]) world.edit(image);
      return world.start(command);
    });
    const isNew = ![...world.tags.values()].some((tags) => tags.has(`build-${version}`));
    await world.perform(choose, most);
    for (const { command, end } of runs)
      if (end === "done" && command.version !== undefined && !isWithdrawn(world, command.version))
        expect([command.version, isEligible(world, command.version)]).toEqual([command.version, true]);
    // A run that is killed beside another one can leave its floating tags to the next run.
    if (runs.some(({ end }) => end === "killed")) return;
    // Of two runs that release one version, one wins.
    if (isNew && commands.every((command) => command.version === version && command.rollback !== true))
      expect(runs.some(({ end }) => end === "done")).toBe(true);
    for (const { command, end } of runs)
      if (end === "done" && command.version !== undefined && !isWithdrawn(world, command.version))
        for (const { tag } of lines(command.version)) checkFloating(world, tag);
  };
  switch (kind) {
    case "release":
      await run({ version });
      break;
    case "rollback":
      await run({ version, rollback: true });
      if (most !== Infinity) await run({ version, rollback: true });
      if (world.runs.at(-1)?.end === "done") {
        const before = structuredClone(world.tags);
        world.start({ version, rollback: true });
        await world.perform(choose);
        expect(world.tags).toEqual(before);
      }
      break;
    case "overwrite":
      published.forget(version);
      await run({ version, overwrite: true });
      // A killed overwrite leaves a mixture until the same command finishes it.
      world.start({ version, overwrite: true });
      await world.perform(choose);
      break;
    case "together":
      await run(
        { version, rollback: second % 5 === 0 },
        { version: second % 3 === 0 ? version : other, rollback: first % 7 === 0 },
      );
      break;
    case "main":
      await run({ revision: String(first).padEnd(40, "a"), releaseDate: "2025-01-10" });
      break;
    case "unnamed":
      await run({});
      break;
    case "edit":
      world.edit(["mcp", "bridge", "ui"][first % 3] ?? "");
      break;
    case "add":
      if (first === 0 && !world.tags.has("docs")) world.tags.set("docs", new Map());
      break;
    case "lose": {
      const tags = [...world.tags.values()][first % world.tags.size];
      tags?.delete(Object.keys(LINE_OF)[second] ?? "");
      break;
    }
    case "remove":
      for (const tags of world.tags.values())
        if (tags.has(`withdrawn-${version}`)) for (const tag of ownTags(version)) tags.delete(tag);
      break;
  }
}

const POLICIES = z.array(cleanupPolicy).parse(
  cleanupPolicies({
    untaggedAfterDays: 14,
    buildsAfterDays: 90,
    keepCount: 0,
    versionsPerBuild: 1,
    keptTagPrefixes: KEPT_TAG_PREFIXES,
  }),
);

/** Expects cleanup to keep every image and platform of a version, even if Google lets indexes lose images. */
function checkCleanup(world: World): void {
  const stored = [...world.tags].flatMap(([image, tags]) =>
    [...new Set(tags.values())].map((digest) => ({
      image,
      digest,
      tags: [...tags.keys()].filter((tag) => tags.get(tag) === digest),
      uploaded: new Date(0),
    })),
  );
  for (const { tags } of deletedVersions(stored, POLICIES, new Date("2100-01-01"), "allowed"))
    expect(tags.filter((tag) => VERSIONS.some((version) => tag.endsWith(version)))).toEqual([]);
}

/** By default, each run uses the same sequences. CI's nightly run sets another `SEED`, and more `RUNS`. */
const SEED = Number(process.env["SEED"] ?? 1);
const RUNS = Number(process.env["RUNS"] ?? 1000);

test("no version moves or mixes two builds, and floating tags are correct after each run", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const world = new World();
      const published = new Published();
      for (const one of steps) {
        await takeStep(world, published, one);
        published.check(world);
        checkCleanup(world);
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
}, 240_000);

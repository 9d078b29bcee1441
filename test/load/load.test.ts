import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { programMemory, seconds } from "../../bench/measure.ts";
import { copyProgram } from "../support/copy-program.ts";
import { type Sandbox, startSandbox } from "../support/sandbox.ts";
import { type Work, measureWork } from "./cpu.ts";
import { acceleration } from "../support/growth.ts";
import {
  add,
  countRequests,
  exceeding,
  OWNERSHIP,
  type Requests,
  requestsOfEveryRun,
  requestsOfFirstUp,
  requestsWithoutChanges,
} from "./requests.ts";
import { createStack, type Size } from "./stack.ts";

/** Two readers for every five images, up to the size of a large project. */
const SIZES: Size[] = [
  { images: 3, readers: 1 },
  { images: 12, readers: 5 },
  { images: 25, readers: 10 },
  { images: 50, readers: 20 },
];
/** Only previewed, which builds nothing: a larger stack shows excessive growth more clearly. */
const PREVIEWED: Size = { images: 100, readers: 40 };

const STEPS = ["preview", "first up", "no change"] as const;
type Step = (typeof STEPS)[number];

interface Measured {
  size: Size;
  step: Step;
  seconds: number;
  work: Work;
  /** The peak of the program's process, in MB. */
  memory: number;
  sent: Requests;
  conflicts: number;
}

const measured: Measured[] = [];
let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  folder = join(await mkdtemp(join(tmpdir(), "load-")), "program");
  await copyProgram(folder);
  for (const size of SIZES) {
    const stack = await createStack(sandbox, folder, size);
    const preview = ["preview", "--stack", stack];
    // The first run fills the caches of Node.js and of the file system.
    if (size === SIZES[0]) await sandbox.pulumi(...preview, "--cwd", folder);
    const up = ["up", "--yes", "--skip-preview", "--stack", stack];
    await measure(size, "preview", preview);
    await measure(size, "first up", up);
    await measure(size, "no change", [...up, "--expect-no-changes"]);
    await measure(size, "no change", [...up, "--expect-no-changes"]);
  }
  await measure(PREVIEWED, "preview", ["preview", "--stack", await createStack(sandbox, folder, PREVIEWED)]);
});

afterAll(async () => {
  await sandbox.stop();
  await rm(join(folder, ".."), { recursive: true, force: true });
  console.log(table());
});

async function measure(size: Size, step: Step, command: string[]): Promise<void> {
  let [time, memory] = [0, 0];
  let work: Work = { engine: 0, rest: 0 };
  const { sent, conflicts } = await countRequests(sandbox, async () => {
    memory = await programMemory(async () => {
      time = await seconds(async () => {
        work = await measureWork(sandbox, folder, [...command, "--suppress-outputs"]);
      });
    }, folder);
  });
  measured.push({ size, step, seconds: time, work, memory, sent, conflicts });
}

/** The points of a step, each the minimum of several runs: other load on the machine only adds. */
function points(step: Step, of: (one: Measured) => number): { images: number; value: number }[] {
  return [...SIZES, PREVIEWED].flatMap((size) => {
    const values = measured.filter((one) => one.size === size && one.step === step).map(of);
    return values.length === 0 ? [] : [{ images: size.images, value: Math.min(...values) }];
  });
}

/** The table for docs/PERFORMANCE.md. */
function table(): string {
  const measures: [what: string, of: (one: Measured) => number, digits: number][] = [
    ["seconds", (one) => one.seconds, 1],
    ["engine's CPU seconds", (one) => one.work.engine, 1],
    ["CPU seconds of all else", (one) => one.work.rest, 1],
    ["MB", (one) => one.memory, 0],
    ["requests", total, 0],
  ];
  const rows = STEPS.flatMap((step) =>
    measures.map(([what, of, digits]) => [
      `${step}, ${what}`,
      ...points(step, of).map(({ value }) => value.toFixed(digits)),
    ]),
  );
  const heads = [...SIZES, PREVIEWED].map(({ images, readers }) => `${images} and ${readers}`);
  return [["images and readers", ...heads], ["---", ...heads.map(() => "---")], ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

function total({ sent }: Measured): number {
  return Object.values(sent).reduce((sum, count) => sum + count, 0);
}

describe.each(STEPS)("%s", (step) => {
  // Quadratic growth would be near 3.
  test("takes CPU time at most linear in the number of images", () => {
    const work = points(step, (one) => one.work.rest);
    expect(work[0]?.value).toBeGreaterThan(0.3);
    expect(acceleration(work, 0.5)).toBeLessThan(1.7);
  });

  // The engine writes its whole state after each new resource; since 3.274 also in a preview, which has more images here than
  // an up. Cubic growth would be near 7.
  const MOST = { preview: 6, "first up": 4, "no change": 1.7 };

  test("takes CPU time of the engine at most linear in the number of images, except for the state after each resource", () => {
    const engine = points(step, (one) => one.work.engine);
    expect(engine[0]?.value).toBeGreaterThan(0.1);
    expect(acceleration(engine, 0.5)).toBeLessThan(MOST[step]);
  });

  // A much looser limit, because elapsed time includes other load on the machine.
  test("takes time at most linear in the number of images", () => {
    const time = points(step, (one) => one.seconds);
    expect(acceleration(time, 5)).toBeLessThan(3);
  });

  test("takes memory at most linear in the number of images", () => {
    const memory = points(step, (one) => one.memory);
    expect(memory[0]?.value).toBeGreaterThan(50);
    expect(acceleration(memory, 10)).toBeLessThan(1.7);
  });
});

test.each(SIZES)("a first up of $images images sends no more requests than the real plugins do", (size) => {
  const run = measured.find((one) => one.size === size && one.step === "first up");
  expect(run?.sent).toMatchObject({ "GET token": expect.any(Number) as number });
  const allowed = add(requestsOfFirstUp(size, run?.conflicts ?? 0), OWNERSHIP);
  expect(exceeding(run?.sent ?? {}, allowed)).toEqual([]);
  expect(run?.conflicts).toBe(0);
});

test("a first preview sends one request per image, and an up without changes two", () => {
  const unchanged = measured.filter(({ step }) => step !== "first up");
  const expected = ({ step, size: { images } }: Measured): Requests =>
    step === "preview" ? add(requestsOfEveryRun(images), OWNERSHIP) : requestsWithoutChanges(images);
  expect(unchanged.map(({ sent }) => sent)).toEqual(unchanged.map(expected));
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { programMemory, seconds } from "../../bench/measure.ts";
import { copyProgram } from "../support/copy-program.ts";
import { type Sandbox, startSandbox } from "../support/sandbox.ts";
import { type Work, workOf } from "./cpu.ts";
import { acceleration } from "../support/growth.ts";
import {
  questions,
  quiet,
  realPluginSends,
  type Requests,
  requestsOf,
  sum,
  tooMany,
  WHOSE,
} from "./requests.ts";
import { newStack, type Size } from "./stack.ts";

/** Two readers for five images, up to the fifty and twenty that a large project may have. */
const SIZES: Size[] = [
  { images: 3, readers: 1 },
  { images: 12, readers: 5 },
  { images: 25, readers: 10 },
  { images: 50, readers: 20 },
];
/** Previewed only, which builds nothing: what grows too fast shows more the larger the stack is. */
const PREVIEWED: Size = { images: 100, readers: 40 };

const STEPS = ["preview", "first up", "no change"] as const;
type Step = (typeof STEPS)[number];

interface Measured {
  size: Size;
  step: Step;
  seconds: number;
  work: Work;
  /** Peak of the program's process, in MB. */
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
    const stack = await newStack(sandbox, folder, size);
    const preview = ["preview", "--stack", stack];
    // The very first fills caches: Node.js's, the file system's.
    if (size === SIZES[0]) await sandbox.pulumi(...preview, "--cwd", folder);
    const up = ["up", "--yes", "--skip-preview", "--stack", stack];
    await measure(size, "preview", preview);
    await measure(size, "first up", up);
    await measure(size, "no change", [...up, "--expect-no-changes"]);
    await measure(size, "no change", [...up, "--expect-no-changes"]);
  }
  await measure(PREVIEWED, "preview", ["preview", "--stack", await newStack(sandbox, folder, PREVIEWED)]);
});

afterAll(async () => {
  await sandbox.stop();
  await rm(join(folder, ".."), { recursive: true, force: true });
  console.log(table());
});

async function measure(size: Size, step: Step, command: string[]): Promise<void> {
  let [time, memory] = [0, 0];
  let work: Work = { engine: 0, rest: 0 };
  const { sent, conflicts } = await requestsOf(sandbox, async () => {
    memory = await programMemory(async () => {
      time = await seconds(async () => {
        work = await workOf(sandbox, folder, [...command, "--suppress-outputs"]);
      });
    }, folder);
  });
  measured.push({ size, step, seconds: time, work, memory, sent, conflicts });
}

/** Points of a step, the best of several runs: what else runs on the machine only adds. */
function points(step: Step, of: (one: Measured) => number): { images: number; value: number }[] {
  return [...SIZES, PREVIEWED].flatMap((size) => {
    const values = measured.filter((one) => one.size === size && one.step === step).map(of);
    return values.length === 0 ? [] : [{ images: size.images, value: Math.min(...values) }];
  });
}

/** The figures for docs/PERFORMANCE.md. */
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
  // A square would be near 3.
  test("takes work that grows with the images at most linearly", () => {
    const work = points(step, (one) => one.work.rest);
    expect(work[0]?.value).toBeGreaterThan(0.3);
    expect(acceleration(work, 0.5)).toBeLessThan(1.7);
  });

  // The engine makes its whole state anew after each new resource; since 3.274 at a preview too, which goes on to more
  // images here than an up. A cube would be near 7.
  const MOST = { preview: 6, "first up": 4, "no change": 1.7 };

  test("takes work of the engine that grows so too, but for the state that it makes after each resource", () => {
    const engine = points(step, (one) => one.work.engine);
    expect(engine[0]?.value).toBeGreaterThan(0.1);
    expect(acceleration(engine, 0.5)).toBeLessThan(MOST[step]);
  });

  // Much looser: on a clock, all that the machine does besides counts too.
  test("takes time that grows with the images at most linearly", () => {
    const time = points(step, (one) => one.seconds);
    expect(acceleration(time, 5)).toBeLessThan(3);
  });

  test("takes memory that grows with the images at most linearly", () => {
    const memory = points(step, (one) => one.memory);
    expect(memory[0]?.value).toBeGreaterThan(50);
    expect(acceleration(memory, 10)).toBeLessThan(1.7);
  });
});

test.each(SIZES)("a first up of $images images sends no more than the real plugins do", (size) => {
  const run = measured.find((one) => one.size === size && one.step === "first up");
  expect(run?.sent).toMatchObject({ "GET token": expect.any(Number) as number });
  const allowed = sum(realPluginSends(size, run?.conflicts ?? 0), WHOSE);
  expect(tooMany(run?.sent ?? {}, allowed)).toEqual([]);
  expect(run?.conflicts).toBe(0);
});

test("a first preview asks one question an image and an up without changes two, and no other that grows with them", () => {
  const without = measured.filter(({ step }) => step !== "first up");
  const asked = ({ step, size: { images } }: Measured): Requests =>
    step === "preview" ? sum(questions(images), WHOSE) : quiet(images);
  expect(without.map(({ sent }) => sent)).toEqual(without.map(asked));
});

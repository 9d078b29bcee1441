import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { programMemory, seconds } from "../../bench/measure.ts";
import { copyProgram } from "../support/copy-program.ts";
import { type Work, measureWork } from "./cpu.ts";
import { acceleration } from "../support/growth.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
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

const STEPS = ["preview", "first up", "no change"] as const;
type Step = (typeof STEPS)[number];

const COMMANDS: Record<Step, string[]> = {
  preview: ["preview"],
  "first up": ["up", "--yes", "--skip-preview"],
  "no change": ["up", "--yes", "--skip-preview", "--expect-no-changes"],
};

/** Of several runs, the least counts: other load on the machine only adds. */
const RUNS: Record<Step, number> = { preview: 2, "first up": 1, "no change": 2 };

/** Two readers for every five images, up to the size of a large project. Three sizes of a step show how it grows. */
const SIZES: (Size & { steps: readonly Step[] })[] = [
  { images: 3, readers: 1, steps: STEPS },
  { images: 25, readers: 10, steps: ["first up", "no change"] },
  { images: 50, readers: 20, steps: STEPS },
  // Only previewed, which builds nothing: a larger stack shows excessive growth more clearly.
  { images: 100, readers: 40, steps: ["preview"] },
];

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
const sandbox = useSandbox();
let folder: string;

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "load-")), "program");
  await copyProgram(folder);
  for (const { steps, ...size } of SIZES) {
    const stack = await createStack(sandbox, folder, size);
    const command = (step: Step) => [...COMMANDS[step], "--stack", stack];
    // The first run fills the caches of Node.js and of the file system.
    if (measured.length === 0) await sandbox.pulumi(...command("preview"), "--cwd", folder);
    for (const step of steps)
      for (let run = 0; run < RUNS[step]; run++) await measure(size, step, command(step));
  }
});

afterAll(async () => {
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

/** The points of a step, each the minimum of its runs. */
function points(step: Step, of: (one: Measured) => number): { images: number; value: number }[] {
  return SIZES.filter(({ steps }) => steps.includes(step)).map(({ images }) => {
    const runs = measured.filter((one) => one.step === step && one.size.images === images);
    return { images, value: Math.min(...runs.map(of)) };
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
      ...SIZES.map(({ images }) =>
        points(step, of)
          .find((point) => point.images === images)
          ?.value.toFixed(digits),
      ),
    ]),
  );
  const heads = SIZES.map(({ images, readers }) => `${images} and ${readers}`);
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

test.each(SIZES.filter(({ steps }) => steps.includes("first up")))(
  "a first up of $images images sends no more requests than the real plugins do",
  (size) => {
    const run = measured.find((one) => one.size.images === size.images && one.step === "first up");
    expect(run?.sent).toMatchObject({ "GET token": expect.any(Number) as number });
    const allowed = add(requestsOfFirstUp(size, run?.conflicts ?? 0), OWNERSHIP);
    expect(exceeding(run?.sent ?? {}, allowed)).toEqual([]);
    expect(run?.conflicts).toBe(0);
  },
);

test("a first preview sends one request per image, and an up without changes two", () => {
  const unchanged = measured.filter(({ step }) => step !== "first up");
  const expected = ({ step, size: { images } }: Measured): Requests =>
    step === "preview" ? add(requestsOfEveryRun(images), OWNERSHIP) : requestsWithoutChanges(images);
  expect(unchanged.map(({ sent }) => sent)).toEqual(unchanged.map(expected));
});

import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { Instruction } from "dockerfile-ast";
import type { Findings, Problem } from "../../../problems/problem.ts";
import { configRemove, configSet, settingKey } from "../../../problems/setting-commands.ts";
import { shownName } from "../../../problems/wording.ts";
import { enginePlatforms } from "../docker/platforms.ts";
import type { CatalogueImage } from "../catalogue.ts";

/** A stage that runs a command, for one target platform. */
interface Run {
  image: string;
  dockerfile: string;
  /** The stage's name or number. */
  stage: string;
  /** The platform whose programs the stage runs; undefined for the engine's platform. */
  platform: string | undefined;
}

/**
 * Reports platforms that builds run commands on and that the engine cannot run.
 * @param images images whose sources exist.
 * @param engine the engine's address; undefined without an engine, which checkEngine reports.
 * @param platformsOf reads the platforms of the engine at an address.
 */
export async function checkEmulation(
  sourceDir: string,
  images: readonly CatalogueImage[],
  platforms: readonly string[],
  engine: string | undefined,
  platformsOf = enginePlatforms,
): Promise<Findings> {
  const runs = (await Promise.all(images.map((image) => runsOf(sourceDir, image, platforms)))).flat();
  const nothing = { problems: [], warnings: [] };
  if (engine === undefined || runs.every(({ platform }) => platform === undefined)) return nothing;
  const can = await platformsOf(engine);
  if (can === undefined) return { problems: [], warnings: [unknownWarning(engine, runs)] };
  const missing = Map.groupBy(
    runs.filter(({ platform }) => platform !== undefined && !can.includes(normalize(platform))),
    ({ platform = "" }) => platform,
  );
  const problems = [...missing].map(([platform, of]) => emulationProblem(platform, of, platforms, can));
  return { problems, warnings: [] };
}

/** Removes the default variant, as BuildKit does. */
const normalize = (platform: string): string =>
  platform.replace(/^(linux\/arm64)\/v8$|^(linux\/amd64)\/v1$/, "$1$2");

/** Finds the stages that run a command, for each platform. BuildKit builds only the stages that the last one needs. */
async function runsOf(
  sourceDir: string,
  { name, context, dockerfile }: CatalogueImage,
  platforms: readonly string[],
): Promise<Run[]> {
  const text = readFileSync(path.join(sourceDir, context, dockerfile), "utf8");
  if (!/^\s*RUN\s/im.test(text)) return [];
  const ast = await import("dockerfile-ast");
  const parsed = ast.DockerfileParser.parse(text);
  const defaults = parsed.getInitialARGs().flatMap((arg) => {
    const property = arg.getProperty();
    return property === null ? [] : [[property.getName(), property.getValue() ?? ""] as const];
  });
  const file = path.join(context, dockerfile);
  return platforms.flatMap((target) => {
    const stages = stagesOf(ast, parsed.getInstructions(), new Map([...defaults, ...platformArgs(target)]));
    return [...neededStages(stages)].flatMap((stage): Run[] =>
      stage.runs ? [{ image: name, dockerfile: file, stage: stage.name, platform: stage.platform }] : [],
    );
  });
}

/** The arguments that BuildKit sets for a target platform. */
function platformArgs(target: string): [string, string][] {
  const [os = "", architecture = "", variant = ""] = target.split("/");
  return [
    ["TARGETPLATFORM", target],
    ["TARGETOS", os],
    ["TARGETARCH", architecture],
    ["TARGETVARIANT", variant],
    ["BUILDPLATFORM", NATIVE],
  ];
}

/** The engine's platform. */
const NATIVE = "native";

interface Stage {
  name: string;
  platform: string | undefined;
  runs: boolean;
  /** Stages that it starts from, copies from or mounts. */
  needs: Stage[];
}

/** @param ast the parser, which is loaded only if a Dockerfile has a RUN. */
function stagesOf(
  ast: typeof import("dockerfile-ast"),
  instructions: readonly Instruction[],
  args: ReadonlyMap<string, string>,
): Stage[] {
  const stages: Stage[] = [];
  const expand = (text: string): string =>
    text.replace(
      /\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/g,
      (_, plainName?: string, braced?: string, fallback = "") =>
        args.get(plainName ?? braced ?? "") ?? String(fallback),
    );
  const find = (name: string): Stage[] => {
    const wanted = expand(name).toLowerCase();
    const found = stages.findLast((stage, index) => stage.name === wanted || String(index) === wanted);
    return found === undefined ? [] : [found];
  };
  for (const instruction of instructions) {
    const current = stages.at(-1);
    if (instruction instanceof ast.From) {
      const needs = find(instruction.getImage() ?? "");
      const flag = expand(instruction.getPlatformFlag()?.getValue() ?? "");
      const inherited = needs.length > 0 ? needs[0]?.platform : args.get("TARGETPLATFORM");
      const platform = flag === "" ? inherited : flag === NATIVE ? undefined : flag;
      const name = instruction.getBuildStage()?.toLowerCase() ?? String(stages.length);
      stages.push({ name, platform, runs: false, needs });
    } else if (current !== undefined && instruction instanceof ast.ModifiableInstruction) {
      current.runs ||= instruction.getKeyword() === "RUN";
      for (const flag of instruction.getFlags()) {
        const source = flag.getName() === "from" ? flag.getValue() : flag.getOption("from")?.getValue();
        current.needs.push(...find(source ?? ""));
      }
    }
  }
  return stages;
}

/** The last stage and all stages that it needs. */
function neededStages(stages: readonly Stage[]): Set<Stage> {
  const needed = new Set(stages.slice(-1));
  // The iteration includes items that are added during it.
  for (const { needs } of needed) for (const stage of needs) needed.add(stage);
  return needed;
}

function emulationProblem(
  platform: string,
  runs: readonly Run[],
  platforms: readonly string[],
  can: readonly string[],
): Problem {
  const rest = platforms.filter((one) => one !== platform);
  const drop = [
    configRemove("platforms"),
    ...rest.map((one, index) => configSet(`platforms[${index}]`, one)),
  ].join("; ");
  const without =
    rest.length > 0 && rest.length < platforms.length ? `; or without the platform: ${drop}` : "";
  return {
    where: settingKey("platforms"),
    found: `${platform}, which the Docker engine cannot run (it runs ${can.join(", ")}), but which runs ${describeStages(runs)}`,
    allowed:
      "platforms that the engine runs or emulates; or stages FROM --platform=$BUILDPLATFORM, which cross-compile",
    fix: `${installCommand(platform)}   # the engine notices within 20 s${without}`,
  };
}

function unknownWarning(engine: string, runs: readonly Run[]): Problem {
  const emulated = runs.filter(({ platform }) => platform !== undefined);
  const wanted = [...new Set(emulated.map(({ platform = "" }) => platform))];
  return {
    where: "Docker engine",
    found: `the engine at ${engine} does not report its platforms: ${describeStages(emulated)} need ${wanted.join(" and ")}`,
    allowed:
      "an engine with BuildKit, at a socket or a TCP port without TLS; other engines are not asked, so a build may fail",
    fix: `docker run --rm --platform ${wanted.at(-1) ?? ""} alpine uname -m   # if it fails: ${installCommand(wanted.at(-1) ?? "")}`,
  };
}

/** The command that installs an emulator on the engine's machine, until it restarts. */
function installCommand(platform: string): string {
  const architecture = platform.split("/")[1] ?? "";
  return `docker run --privileged --rm tonistiigi/binfmt --install ${architecture}`;
}

function describeStages(runs: readonly Run[]): string {
  const stages = runs.map(
    ({ image, dockerfile, stage }) => `stage ${shownName(stage)} of ${shownName(dockerfile)} (${image})`,
  );
  return [...new Set(stages)].join(", ");
}

import { beforeEach, describe, expect, test, vi } from "vitest";
import { useScratch } from "../../test/support/scratch.ts";
import { checkEmulation } from "./check-emulation.ts";
import { enginePlatforms } from "./docker/platforms.ts";

vi.mock("./docker/platforms.ts");

const scratch = useScratch();
const IMAGE = { name: "hyperion-ui", context: "ui", dockerfile: "Dockerfile" };
const BOTH = ["linux/amd64", "linux/arm64"];

beforeEach(() => {
  vi.mocked(enginePlatforms).mockReset().mockResolvedValue(["linux/amd64", "linux/amd64/v2", "linux/386"]);
});

const check = async (dockerfile: string, platforms: readonly string[] = BOTH, engine?: string | null) => {
  scratch.write("ui/Dockerfile", dockerfile);
  return checkEmulation(scratch.folder, [IMAGE], platforms, engine === null ? undefined : "unix:///x.sock");
};

/** The stages that run a command for arm64, as the message names them. */
const stages = async (dockerfile: string): Promise<string[]> => {
  const { problems, warnings } = await check(dockerfile);
  expect(warnings).toEqual([]);
  return problems.flatMap(({ found }) => [...found.matchAll(/stage (\S+) of/g)].map(([, name = ""]) => name));
};

test("a stage that runs a command for a platform that the engine lacks is a problem with both ways out", async () => {
  expect(await check("FROM node AS build\nRUN npm ci\nFROM nginx\nCOPY --from=build /dist /\n")).toEqual({
    problems: [
      {
        where: "hyperion-registry:platforms",
        found:
          "linux/arm64, which the Docker engine cannot run (it runs linux/amd64, linux/amd64/v2, linux/386), and which is run by stage build of ui/Dockerfile (hyperion-ui)",
        allowed:
          "platforms that the engine runs or emulates; or stages FROM --platform=$BUILDPLATFORM, which cross-compile",
        fix: "docker run --privileged --rm tonistiigi/binfmt --install arm64   # the engine notices within 20 s; or without the platform: npm run pulumi -- config rm hyperion-registry:platforms; npm run pulumi -- config set --path 'hyperion-registry:platforms[0]' linux/amd64",
      },
    ],
    warnings: [],
  });
});

test("an engine that emulates the platform builds it, with a variant or without", async () => {
  vi.mocked(enginePlatforms).mockResolvedValue(["linux/amd64", "linux/arm64"]);
  const nothing = { problems: [], warnings: [] };
  expect(await check("FROM node\nRUN npm ci\n")).toEqual(nothing);
  expect(await check("FROM node\nRUN npm ci\n", ["linux/arm64/v8"])).toEqual(nothing);
});

test("an engine that cannot be asked is a warning with what to try", async () => {
  vi.mocked(enginePlatforms).mockResolvedValue(undefined);
  const { problems, warnings } = await check("FROM node\nRUN npm ci\n");
  expect(problems).toEqual([]);
  expect(warnings).toEqual([
    {
      where: "Docker engine",
      found:
        "the engine at unix:///x.sock does not say which platforms it can run: stage 0 of ui/Dockerfile (hyperion-ui) need linux/amd64 and linux/arm64",
      allowed:
        "an engine with BuildKit, at a socket or a TCP port without TLS; others are not asked, and a build may fail",
      fix: "docker run --rm --platform linux/arm64 alpine uname -m   # if it fails: docker run --privileged --rm tonistiigi/binfmt --install arm64",
    },
  ]);
});

describe("nobody is asked", () => {
  test.each([
    ["a Dockerfile that runs nothing", "FROM nginx\nCOPY . /\n", undefined],
    [
      "one that cross-compiles",
      "FROM --platform=$BUILDPLATFORM go\nRUN go build\nFROM alpine\nCOPY --from=0 /a /\n",
      undefined,
    ],
    ["no engine, which is reported elsewhere", "FROM node\nRUN npm ci\n", null],
  ])("about %s", async (_, dockerfile, engine) => {
    expect(await check(dockerfile, BOTH, engine)).toEqual({ problems: [], warnings: [] });
    expect(enginePlatforms).not.toHaveBeenCalled();
  });
});

test.each([
  ["a stage that nothing needs", "FROM a AS tests\nRUN t\nFROM b\nCOPY . /\n", []],
  ["a stage that is started from", "FROM a AS Base\nRUN t\nFROM base\nCOPY . /\n", ["base"]],
  ["a stage that is copied from by number", "FROM a\nRUN t\nFROM b\nCOPY --from=0 /x /\n", ["0"]],
  [
    "a stage that is mounted",
    "FROM a AS tool\nRUN t\nFROM --platform=$BUILDPLATFORM b\nRUN --mount=type=bind,from=tool,target=/t u\n",
    ["tool"],
  ],
  [
    "a stage above one of the engine's platform",
    "FROM --platform=${BUILDPLATFORM} a AS go\nFROM go\nRUN t\n",
    [],
  ],
  ["the target, by its name", "FROM --platform=$TARGETPLATFORM a\nRUN t\n", ["0"]],
  ["the target, by its processor", "FROM --platform=linux/$TARGETARCH a\nRUN t\n", ["0"]],
  ["a fixed platform that the engine has", "FROM --platform=linux/amd64 a\nRUN t\n", []],
  [
    "a base by an argument with a default",
    "ARG PLATFORM=linux/386\nFROM --platform=$PLATFORM a\nRUN t\n",
    [],
  ],
  [
    "a stage by the target's processor",
    "FROM a AS amd64\nFROM b AS arm64\nRUN t\nFROM $TARGETARCH\nCOPY . /\n",
    ["arm64"],
  ],
  ["RUN in a here-document", "FROM a\nCOPY <<E /x\nRUN t\nE\n", []],
  ["a command over several lines", "# escape=`\nFROM a\nRUN t `\n  && u\n", ["0"]],
])("%s", async (_, dockerfile, expected) => {
  expect(await stages(dockerfile)).toEqual(expected);
});

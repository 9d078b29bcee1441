import { beforeEach, describe, expect, test, vi } from "vitest";
import { useScratch } from "../../../test/support/scratch.ts";
import { checkEmulation } from "./check-emulation.ts";
import type { enginePlatforms } from "../docker/platforms.ts";

const scratch = useScratch();
const platformsOf = vi.fn<typeof enginePlatforms>();
const IMAGE = { name: "hyperion-ui", context: "ui", dockerfile: "Dockerfile" };
const BOTH = ["linux/amd64", "linux/arm64"];

beforeEach(() => {
  platformsOf.mockReset().mockResolvedValue(["linux/amd64", "linux/amd64/v2", "linux/386"]);
});

const check = async (dockerfile: string, platforms: readonly string[] = BOTH, engine?: string | null) => {
  scratch.write("ui/Dockerfile", dockerfile);
  return checkEmulation(
    scratch.folder,
    [IMAGE],
    platforms,
    engine === null ? undefined : "unix:///x.sock",
    platformsOf,
  );
};

/** Names of the stages that run a command for arm64, from the message. */
const stages = async (dockerfile: string): Promise<string[]> => {
  const { problems, warnings } = await check(dockerfile);
  expect(warnings).toEqual([]);
  return problems.flatMap(({ found }) => [...found.matchAll(/stage (\S+) of/g)].map(([, name = ""]) => name));
};

test("reports a stage that runs a command on a missing platform, with both fixes", async () => {
  expect(await check("FROM node AS build\nRUN npm ci\nFROM nginx\nCOPY --from=build /dist /\n")).toEqual({
    problems: [
      {
        where: "hyperion-registry:platforms",
        found:
          "linux/arm64, which the Docker engine cannot run (it runs linux/amd64, linux/amd64/v2, linux/386), but which runs stage build of ui/Dockerfile (hyperion-ui)",
        allowed:
          "platforms that the engine runs or emulates; or stages FROM --platform=$BUILDPLATFORM, which cross-compile",
        fix: "docker run --privileged --rm tonistiigi/binfmt --install arm64   # the engine notices within 20 s; or without the platform: npm run pulumi -- config rm hyperion-registry:platforms; npm run pulumi -- config set --path 'hyperion-registry:platforms[0]' linux/amd64",
      },
    ],
    warnings: [],
  });
});

test("accepts a platform that the engine emulates, with and without a variant", async () => {
  platformsOf.mockResolvedValue(["linux/amd64", "linux/arm64"]);
  const nothing = { problems: [], warnings: [] };
  expect(await check("FROM node\nRUN npm ci\n")).toEqual(nothing);
  expect(await check("FROM node\nRUN npm ci\n", ["linux/arm64/v8"])).toEqual(nothing);
});

test("warns of an engine that does not report its platforms", async () => {
  platformsOf.mockResolvedValue(undefined);
  const { problems, warnings } = await check("FROM node\nRUN npm ci\n");
  expect(problems).toEqual([]);
  expect(warnings).toEqual([
    {
      where: "Docker engine",
      found:
        "the engine at unix:///x.sock does not report its platforms: stage 0 of ui/Dockerfile (hyperion-ui) need linux/amd64 and linux/arm64",
      allowed:
        "an engine with BuildKit, at a socket or a TCP port without TLS; other engines are not asked, so a build may fail",
      fix: "docker run --rm --platform linux/arm64 alpine uname -m   # if it fails: docker run --privileged --rm tonistiigi/binfmt --install arm64",
    },
  ]);
});

describe("sends no request for", () => {
  test.each([
    ["a Dockerfile without a command", "FROM nginx\nCOPY . /\n", undefined],
    [
      "a Dockerfile that cross-compiles",
      "FROM --platform=$BUILDPLATFORM go\nRUN go build\nFROM alpine\nCOPY --from=0 /a /\n",
      undefined,
    ],
    ["no engine", "FROM node\nRUN npm ci\n", null],
  ])("%s", async (_, dockerfile, engine) => {
    expect(await check(dockerfile, BOTH, engine)).toEqual({ problems: [], warnings: [] });
    expect(platformsOf).not.toHaveBeenCalled();
  });
});

test.each([
  ["a stage that no other stage needs", "FROM a AS tests\nRUN t\nFROM b\nCOPY . /\n", []],
  ["a base stage", "FROM a AS Base\nRUN t\nFROM base\nCOPY . /\n", ["base"]],
  ["a stage with a number that COPY uses", "FROM a\nRUN t\nFROM b\nCOPY --from=0 /x /\n", ["0"]],
  [
    "a stage that is mounted",
    "FROM a AS tool\nRUN t\nFROM --platform=$BUILDPLATFORM b\nRUN --mount=type=bind,from=tool,target=/t u\n",
    ["tool"],
  ],
  [
    "a stage based on one for the engine's platform",
    "FROM --platform=${BUILDPLATFORM} a AS go\nFROM go\nRUN t\n",
    [],
  ],
  ["the target platform", "FROM --platform=$TARGETPLATFORM a\nRUN t\n", ["0"]],
  ["the target architecture", "FROM --platform=linux/$TARGETARCH a\nRUN t\n", ["0"]],
  ["a fixed platform that the engine has", "FROM --platform=linux/amd64 a\nRUN t\n", []],
  [
    "a platform by an argument with a default",
    "ARG PLATFORM=linux/386\nFROM --platform=$PLATFORM a\nRUN t\n",
    [],
  ],
  [
    "a base stage by the target architecture",
    "FROM a AS amd64\nFROM b AS arm64\nRUN t\nFROM $TARGETARCH\nCOPY . /\n",
    ["arm64"],
  ],
  ["RUN in a here-document", "FROM a\nCOPY <<E /x\nRUN t\nE\n", []],
  ["a command over several lines", "# escape=`\nFROM a\nRUN t `\n  && u\n", ["0"]],
])("%s", async (_, dockerfile, expected) => {
  expect(await stages(dockerfile)).toEqual(expected);
});

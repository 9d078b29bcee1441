import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gte, valid } from "semver";
import { messageOf } from "../../problems/wording.ts";
import { SandboxError } from "../lib/errors.ts";
import { isExecutable } from "../../components/images/programs.ts";
import { findCommands } from "../lib/files.ts";
import { goBuild, type GoModule } from "./go-build.ts";
import { whileHolding } from "../lib/lock.ts";
import { sharedCache } from "../lib/paths.ts";
import type { Progress } from "../lib/progress.ts";
import { run } from "../lib/run-command.ts";

/** The version to build. */
const COMPOSE: GoModule = {
  path: "github.com/docker/compose/v2",
  version: "v2.40.3",
  sum: "h1:XeYkQu1svDtyfZPv5nTwFryQ25ZJMkIlc4pz9HalMPI=",
};

/** The first version with `config --lock-image-digests`. docker-compose.dev.yml needs 2.26, docker-compose.yml 2.24. */
const OLDEST_COMPOSE = "2.36.2";

const BUILT = join(sharedCache, `compose-${COMPOSE.version}`, "docker-compose");

/**
 * Finds Docker Compose, or builds it: about two minutes, once for all checkouts.
 *
 * @returns an executable for commands such as `PATH up --detach`.
 */
export async function ensureCompose(progress: Progress): Promise<string> {
  for (const candidate of [...(await plugins()), ...findCommands("docker-compose"), BUILT]) {
    if (await isRecentEnough(candidate)) return candidate;
  }
  progress(`Compose ${OLDEST_COMPOSE} or later is not installed: building ${COMPOSE.version} into ${BUILT}`);
  await mkdir(dirname(BUILT), { recursive: true });
  await whileHolding(`${BUILT}.lock`, async () => {
    if (!(await isRecentEnough(BUILT))) await build(progress);
  });
  return BUILT;
}

/** The Compose plugin of each `docker` on PATH, which is an executable too. */
async function plugins(): Promise<string[]> {
  const found = await Promise.all(
    findCommands("docker").map(async (docker) => {
      const format = '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}';
      // The command prints this even if it fails because no engine answers.
      const { stdout } = await run(docker, ["info", "--format", format]);
      return stdout.trim();
    }),
  );
  return found.filter((path) => path !== "");
}

async function isRecentEnough(command: string): Promise<boolean> {
  if (!isExecutable(command)) return false;
  const { stdout } = await run(command, ["version", "--short"]);
  const version = valid(stdout.trim());
  return version !== null && gte(version, OLDEST_COMPOSE);
}

async function build(progress: Progress): Promise<void> {
  const linkerFlags = `-X ${COMPOSE.path}/internal.Version=${COMPOSE.version}`;
  try {
    await goBuild([{ module: COMPOSE, folders: ["./cmd"], linkerFlags }], BUILT, progress, (folder) =>
      rename(join(folder, "cmd"), BUILT),
    );
  } catch (error) {
    throw new SandboxError(
      `Docker Compose ${OLDEST_COMPOSE} or later is not installed, and building it failed.\n` +
        "Install it and run this again: https://docs.docker.com/compose/install\n" +
        messageOf(error),
    );
  }
}

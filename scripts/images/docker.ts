import { accessSync, constants, statSync } from "node:fs";
import * as path from "node:path";
import { execa } from "execa";
import { dockerConfigFile, dockerLogin } from "../../components/images/docker-login.ts";
import { BUILD_TAG } from "../../components/images/tags.ts";
import type { Plan } from "./plan.ts";

/** Runs a command to its end, whatever that is. */
const run = (command: string, args: string[], input = "") => execa(command, args, { reject: false, input });

const succeeds = async (...command: Parameters<typeof run>): Promise<boolean> =>
  !(await run(...command)).failed;

/** The docker command of this machine that can do the work, and what is wrong with it. */
export interface DockerCommand {
  command: string;
  problems: string[];
}

/** Finds a docker command that can build (or, with `skipBuild`, any), and looks whether its engine answers. */
export async function findDocker(plan: Plan, skipBuild: boolean): Promise<DockerCommand> {
  const candidates = commandsOnPath("docker");
  const [first] = candidates;
  if (first === undefined)
    return refused("Docker is not installed (no docker on the PATH): https://docs.docker.com/get-docker/");
  let command: string | undefined;
  for (const candidate of candidates) {
    if (skipBuild || (await canBuild(candidate))) {
      command = candidate;
      break;
    }
  }
  if (command === undefined) {
    return refused(
      `${first} cannot build with BuildKit, its plugin buildx is missing: https://docs.docker.com/go/buildx/`,
    );
  }
  if (!(await succeeds(command, ["version", "--format", "{{.Server.Version}}"]))) {
    const host = process.env["DOCKER_HOST"];
    return refused(
      `the Docker engine does not answer${host ? ` at ${host}` : ""}: start it, or point DOCKER_HOST at one that runs`,
    );
  }
  return { command, problems: skipBuild ? await localImageProblems(command, plan) : [] };
}

const refused = (problem: string): DockerCommand => ({ command: "", problems: [problem] });

/** BuildKit is part of docker up to 22; from 23 on it is the plugin buildx, which may be missing. */
async function canBuild(command: string): Promise<boolean> {
  if (await succeeds(command, ["buildx", "version"])) return true;
  // Without an engine it fails, and has told its own version nevertheless.
  const { stdout } = await run(command, ["version", "--format", "{{.Client.Version}}"]);
  const major = /^(\d+)\./.exec(stdout)?.[1];
  return major !== undefined && Number(major) < 23;
}

async function localImageProblems(command: string, { images, registry, platform }: Plan): Promise<string[]> {
  const problems = images.map(async ({ name }) => {
    const reference = `${registry}/${name}:${BUILD_TAG}`;
    const format = "{{.Os}}/{{.Architecture}}";
    const { failed, stdout } = await run(command, ["image", "inspect", "--format", format, reference]);
    if (failed)
      return `${name}: there is no local image ${reference}: leave out --skip-build, or docker tag YOUR_IMAGE ${reference}`;
    if (stdout === platform) return undefined;
    return `${name}: the local image ${reference} is for ${stdout}, and ${platform} is published: leave out --skip-build`;
  });
  return (await Promise.all(problems)).filter((problem) => problem !== undefined);
}

/** Why Docker has no login at the registry; undefined where it has one. */
export async function loginProblem({ host }: Plan): Promise<string | undefined> {
  const google = /(^|\.)gcr\.io$|\.pkg\.dev$/.test(host);
  const fix = google ? `gcloud auth login && gcloud auth configure-docker ${host}` : `docker login ${host}`;
  const file = dockerConfigFile(process.env);
  let login;
  try {
    login = dockerLogin(file, host);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (login.kind === "none") return `not logged in at ${host} (${file} has no login for it): ${fix}`;
  if (login.kind === "stored") return undefined;
  const helper = `docker-credential-${login.name}`;
  if (commandsOnPath(helper).length === 0) {
    return `not logged in at ${host}: ${file} names the credential helper ${helper}, which is not on the PATH: install it, or ${fix}`;
  }
  if (await succeeds(helper, ["get"], host)) return undefined;
  return `not logged in at ${host}: the credential helper ${helper} has no login for it: ${fix}`;
}

/** Every program of a name on the PATH, in its order. */
function commandsOnPath(name: string): string[] {
  return (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .filter(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

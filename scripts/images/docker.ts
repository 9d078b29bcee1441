import { execa } from "execa";
import { messageOf } from "../../problems/wording.ts";
import { findDockerCommand } from "../../components/images/docker/command.ts";
import { dockerConfigFile } from "../../components/images/docker/config.ts";
import { type DockerLogin, dockerLogin } from "../../components/images/docker/login.ts";
import { commandsOnPath } from "../../components/images/programs.ts";
import { platformTag } from "../../components/images/tags/names.ts";
import type { Publication } from "./publication.ts";

const run = (command: string, args: string[]) => execa(command, args, { reject: false });

/** The docker command to use, or the problems with it. */
export interface CheckedDocker {
  command: string;
  hasBuildx: boolean;
  problems: string[];
}

/** Finds a docker command that can build (with `skipBuild`: any), and checks that its engine answers. */
export async function findDocker(publication: Publication, skipBuild: boolean): Promise<CheckedDocker> {
  const candidates = commandsOnPath("docker");
  const [first] = candidates;
  if (first === undefined)
    return refused("Docker is not installed (no docker on the PATH): https://docs.docker.com/get-docker/");
  const command = await findDockerCommand(candidates);
  if (command === undefined) return refused(`${first} cannot be run: https://docs.docker.com/get-docker/`);
  if (!skipBuild && !command.buildKit) {
    return refused(
      `${command.path} cannot build with BuildKit, its plugin buildx is missing: https://docs.docker.com/go/buildx/`,
    );
  }
  if ((await run(command.path, ["version", "--format", "{{.Server.Version}}"])).failed) {
    const host = process.env["DOCKER_HOST"];
    return refused(
      `the Docker engine does not answer${host ? ` at ${host}` : ""}: start it, or point DOCKER_HOST at one that runs`,
    );
  }
  const hasBuildx = !(await run(command.path, ["buildx", "version"])).failed;
  return {
    command: command.path,
    hasBuildx,
    problems: skipBuild ? await localImageProblems(command.path, publication) : [],
  };
}

const refused = (problem: string): CheckedDocker => ({ command: "", hasBuildx: false, problems: [problem] });

async function localImageProblems(
  command: string,
  { images, registry, platforms }: Publication,
): Promise<string[]> {
  const problems = images.flatMap(({ name }) =>
    platforms.map(async (platform) => {
      const reference = `${registry}/${name}:${platformTag(platform)}`;
      const format = "{{.Os}}/{{.Architecture}}";
      const { failed, stdout } = await run(command, ["image", "inspect", "--format", format, reference]);
      if (failed)
        return `${name}: there is no local image ${reference}: leave out --skip-build, or docker tag YOUR_IMAGE ${reference}`;
      if (stdout === platform) return undefined;
      return `${name}: the local image ${reference} is for ${stdout}, not for ${platform}: leave out --skip-build`;
    }),
  );
  return (await Promise.all(problems)).filter((problem) => problem !== undefined);
}

/** The problem with Docker's login at the registry, if any. */
export async function loginProblem({ host }: Publication): Promise<string | undefined> {
  const google = /(^|\.)gcr\.io$|\.pkg\.dev$/.test(host);
  const fix = google ? `gcloud auth login && gcloud auth configure-docker ${host}` : `docker login ${host}`;
  const file = dockerConfigFile(process.env);
  let login: DockerLogin;
  try {
    login = dockerLogin(host, process.env);
  } catch (error) {
    return messageOf(error);
  }
  if (login.kind === "none") return `not logged in at ${host} (${file} has no login for it): ${fix}`;
  if (login.kind === "stored") return undefined;
  const { helper } = login;
  if (login.kind === "missing helper") {
    return `not logged in at ${host}: ${file} names the credential helper ${helper}, which is not on the PATH: install it, or ${fix}`;
  }
  const { kind } = await login.ask();
  if (kind === "login") return undefined;
  const what = kind === "too slow" ? "does not answer in time" : "has no login for it";
  return `not logged in at ${host}: the credential helper ${helper} ${what}: ${fix}`;
}

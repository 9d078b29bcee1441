import { mkdirSync, readFileSync, rmSync } from "node:fs";
import * as path from "node:path";
import { beforeEach, describe, expect, it, test } from "vitest";
import catalogue from "../../images.json" with { type: "json" };
import { FLAGS, readOptions, WITH_VALUE } from "./options.ts";
import { describePublication, readPublication } from "./publication.ts";
import { run } from "./run.ts";
import { type Ended, root, useShell } from "../../test/support/shell.ts";

const script = "scripts/build-and-push-images.sh";
// No server listens there.
const host = "127.0.0.1:9";
const registry = `${host}/project/repository`;
const names = catalogue.map(({ name }) => name);
const last = names.at(-1) ?? "";
const platforms = ["linux/amd64", "linux/arm64"];

/** A fake Docker. ANSWERS names the steps that fail. */
const docker = `
record "$@"
case "$1 $2" in
  "buildx version") has no-buildx && { echo "docker: 'buildx' is not a docker command." >&2; exit 1; }; exit 0 ;;
  "--version ") has docker-28 && version=28.2.2; echo "Docker version \${version:-20.10.24}, build 1"; exit 0 ;;
  "version --format") has no-engine && { echo "Cannot connect to the Docker daemon" >&2; exit 1; }; echo 20.10.24; exit 0 ;;
  "image inspect")
    case "$4" in
      *Architecture*)
        [[ "$5" == *"$LAST":build-arm64 ]] && has no-local-image && exit 1
        [[ "$5" == *"$LAST":build-arm64 ]] && has other-platform && { echo linux/amd64; exit 0; }
        echo "linux/\${5##*-}" ;;
      *) echo "sha256:1111 2026-11-24T12:34:56Z" ;;
    esac ;;
  build*)
    [[ "$*" == *"$LAST"* ]] && has bad-build && { echo "#5 ERROR: process \\"npm ci\\" failed"; exit 1; }
    [[ "$*" == *"$LAST"* ]] && has racing-build && [ ! -e "$RECORD.raced" ] && {
      touch "$RECORD.raced"
      echo 'ERROR: failed to prepare extraction snapshot "extract-1-a sha256:1d": parent snapshot sha256:e6 does not exist: not found'; exit 1; }
    [[ "$*" == *"$LAST"* ]] && has slow-build && { echo begun >"$RECORD.begun"; sleep 30; }
    exit 0 ;;
  push*)
    has no-push && [[ "$*" == *"$NO_PUSH" ]] && { echo "denied: Permission denied" >&2; exit 1; }
    echo "\${2##*:}: digest: sha256:cccc size: 523" ;;
esac`;

const shell = useShell();

beforeEach(() => {
  shell.fake("docker", docker);
  shell.environment["LAST"] = last;
  shell.environment["NO_PUSH"] = `${last}:build-arm64`;
  shell.write(".docker/config.json", JSON.stringify({ auths: { [host]: { auth: "dTpw" } } }));
  for (const { context, dockerfile } of catalogue)
    shell.write(`src/${context}/${dockerfile}`, "FROM scratch\n");
});

const common = (): string[] => ["--registry", registry, "--source", shell.path("src")];
const publish = (...args: string[]): Promise<Ended> => shell.call(() => run([...common(), ...args], root));

const work = (): string[] => shell.calls().filter((call) => /^docker (buildx build|build|push) /.test(call));
const pushes = (): string[] => work().filter((call) => call.startsWith("docker push"));

/** The expected builds and pushes. */
const expectedWork = (build: string): string[] =>
  catalogue.flatMap(({ name, context, dockerfile }) =>
    platforms.flatMap((platform) => {
      const reference = `${registry}/${name}:build-${platform.slice("linux/".length)}`;
      const folder = shell.path(`src/${context}`);
      return [
        `docker ${build} --progress plain --platform ${platform} --tag ${reference} --file ${folder}/${dockerfile} ${folder}`,
        `docker push ${reference}`,
      ];
    }),
  );

describe("the normal course", () => {
  it("builds and pushes each platform of every image, loads what buildx builds, and then sets tags", () => {
    const args = [...common(), "--version", "1.4.2", "--jobs", "1"];
    const { status, stdout, stderr } = shell.run(script, args);
    expect(work()).toEqual(expectedWork("buildx build --load"));
    for (const name of names) expect(stdout).toMatch(new RegExp(`^${name} +pushed +\\d+$`, "m"));
    // Its registry does not exist.
    expect(stderr).toContain(`${registry}\n  found:   the registry did not answer (fetch failed`);
    expect(status).toBe(1);
  });

  it("builds without buildx if Docker has BuildKit", async () => {
    shell.environment["ANSWERS"] = "no-buildx no-push";
    await publish("--jobs", "1");
    expect(work()).toEqual(expectedWork("build"));
  });

  it("pushes local images with --skip-build, and names them", async () => {
    shell.environment["ANSWERS"] = "no-push";
    const only = ["--only", last, "--only", names[0] ?? ""];
    const { stdout } = await publish("--skip-build", ...only, "--jobs", "1");
    const references = [names[0], last].flatMap((name) =>
      ["amd64", "arm64"].map((platform) => `${registry}/${name ?? ""}:build-${platform}`),
    );
    expect(work()).toEqual(references.map((reference) => `docker push ${reference}`));
    for (const reference of references)
      expect(stdout).toContain(`: pushing ${reference}, sha256:1111, made on 2026-11-24 12:34 UTC\n`);
  });

  it("uses production's registry by default", async () => {
    const { stdout } = await shell.call(() => run(["--dry-run", "--source", shell.path("src")], root));
    expect(stdout).toContain(
      `push  us-central1-docker.pkg.dev/production-471918/hyperion-public/${last} for linux/arm64\n`,
    );
  });

  it.each<[string[], string[]]>([
    [
      ["--version", "0.3.1"],
      ["0.3.1, v0.3.1", "0.3, latest, unless a higher version holds them"],
    ],
    [["--version", "2.0.0-rc.1"], ["2.0.0-rc.1, v2.0.0-rc.1"]],
    [
      ["--revision", "abc123f".padEnd(40, "0"), "--release-date", "2025-01-10"],
      ["abc123f, 2025-01-10, edge"],
    ],
    [[], ["latest, unless a version is published"]],
  ])("tags with %j %j", (args, tags) => {
    const options = readOptions(["--registry", registry, ...args], []);
    const what = options === "help" ? undefined : readPublication(options, root, []);
    if (what === undefined) throw new Error("the options mean nothing");
    const said = describePublication(what, false).split("\n");
    expect(said.filter((line) => !line.startsWith("push "))).toEqual([
      ...tags.map((one) => `tag   ${one}`),
      "",
    ]);
  });

  it("only prints the steps with --dry-run, without Docker and a login, by the Node.js of npm ci", () => {
    shell.without("docker");
    shell.fake("node", "echo v20.0.0");
    rmSync(shell.path(".docker"), { recursive: true });
    const { status, stdout } = shell.run(script, [...common(), "--dry-run"]);
    expect(status).toBe(0);
    const steps = catalogue.flatMap(({ name, context, dockerfile }) =>
      platforms.flatMap((platform) => [
        `build ${name} for ${platform} from ${shell.path("src")}/${context}, ${dockerfile}`,
        `push  ${registry}/${name} for ${platform}`,
      ]),
    );
    expect(stdout.split("\n")).toEqual([...steps, "tag   latest, unless a version is published", ""]);
    expect(shell.calls()).toEqual([]);
  });

  it("prints every option with --help", async () => {
    const { status, stdout } = await shell.call(() => run(["--help"], root));
    expect(status).toBe(0);
    for (const option of [...FLAGS, ...WITH_VALUE]) expect(stdout).toContain(`  --${option}`);
  });
});

describe("problems before the start", () => {
  const DATE = "--release-date goes with --revision, the tip of main, and without --version";
  const refuse = async (args: string[], messages: string[]): Promise<void> => {
    const { status, stdout, stderr } = await publish(...args);
    expect(stderr).toBe(`Nothing was started:\n${messages.map((message) => `  - ${message}\n`).join("")}`);
    expect(stdout).toBe("");
    expect(status).toBe(2);
    expect(work()).toEqual([]);
  };
  const all = `images.json has: ${names.join(", ")}`;

  test.each<[string[], string[]]>([
    [["--nonsense"], ["unknown option --nonsense; see --help"]],
    [["--only"], ["--only takes a value; see --help"]],
    [["--jobs", "0"], ["--jobs 0 must be a number from 1 to 99"]],
    [["--only", "hyperion-iu"], [`--only "hyperion-iu": no such image. Did you mean hyperion-ui? ${all}`]],
    [["--only", "x"], [`--only "x": no such image. ${all}`]],
    [
      ["--version", "v1.4.2", "--only", "x", "--jobs", "many"],
      [
        "--jobs many must be a number from 1 to 99",
        `--version "v1.4.2" must be a semantic version such as 1.4.2 or 2.0.0-rc.1: write 1.4.2, without v`,
        "--only does not go with --version: a version has every image",
        `--only "x": no such image. ${all}`,
      ],
    ],
    [
      ["--release-date", "2025-02-30", "--revision", "abc123f".padEnd(40, "0")],
      [
        `--release-date "2025-02-30" must be a date YYYY-MM-DD such as 2025-01-10, and there is no such day in the calendar`,
      ],
    ],
    [["--release-date", "2025-01-10"], [DATE]],
    [["--release-date", "2025-01-10", "--revision", "abc123f".padEnd(40, "0"), "--version", "1.4.2"], [DATE]],
    [["--overwrite"], ["--overwrite goes with --version"]],
    [
      ["--registry", "https://r.example.com/a"],
      [
        `--registry "https://r.example.com/a" must be HOST[:PORT]/PATH, such as us-central1-docker.pkg.dev/my-project/my-repository: leave out https://`,
      ],
    ],
    [
      ["--registry", "r.example.com"],
      [
        `--registry "r.example.com" must be HOST[:PORT]/PATH, such as us-central1-docker.pkg.dev/my-project/my-repository`,
      ],
    ],
  ])("%j", (args, messages) => {
    const problems: string[] = [];
    const options = readOptions(["--registry", registry, ...args], problems);
    if (options !== "help") readPublication(options, root, problems);
    expect(problems).toEqual(messages);
  });

  it("wrong options", async () => {
    await refuse(["--jobs", "0"], ["--jobs 0 must be a number from 1 to 99"]);
  });

  it("missing sources", async () => {
    await refuse(
      ["--source", "nowhere"],
      [`the folder of the sources, nowhere, does not exist: --source DIR`],
    );
    const empty = path.join(shell.folder, "empty");
    mkdirSync(empty);
    const hint = "--source DIR names the folder that holds coordinator/";
    await refuse(
      ["--source", empty],
      catalogue.map(
        ({ name, context, dockerfile }) => `${name}: ${empty} has no ${context}/${dockerfile}: ${hint}`,
      ),
    );
  });

  it("a Docker that is missing, cannot build or does not answer", async () => {
    shell.environment["ANSWERS"] = "no-buildx docker-28";
    await refuse(
      [],
      [
        `${shell.folder}/bin/docker cannot build with BuildKit, its plugin buildx is missing: https://docs.docker.com/go/buildx/`,
      ],
    );
    shell.environment["ANSWERS"] = "no-engine";
    const remedy = "start it, or point DOCKER_HOST at one that runs";
    await refuse([], [`the Docker engine does not answer: ${remedy}`]);
    shell.environment["DOCKER_HOST"] = "tcp://127.0.0.1:1";
    await refuse([], [`the Docker engine does not answer at tcp://127.0.0.1:1: ${remedy}`]);
    shell.without("docker");
    await refuse(
      [],
      ["Docker is not installed (no docker on the PATH): https://docs.docker.com/get-docker/"],
    );
  });

  it("a missing login, with the reason in Docker's configuration", async () => {
    const file = path.join(shell.folder, ".docker/config.json");
    rmSync(file);
    await refuse([], [`not logged in at ${host} (${file} has no login for it): docker login ${host}`]);
    shell.write(".docker/config.json", JSON.stringify({ credHelpers: { [host]: "vault" } }));
    await refuse(
      [],
      [
        `not logged in at ${host}: ${file} names the credential helper docker-credential-vault, which is not on the PATH: install it, or docker login ${host}`,
      ],
    );
    shell.fake("docker-credential-vault", "cat >/dev/null; echo 'credentials not found'; exit 1");
    await refuse(
      [],
      [
        `not logged in at ${host}: the credential helper docker-credential-vault has no login for it: docker login ${host}`,
      ],
    );
    shell.fake(
      "docker-credential-vault",
      `[ "$1 $(cat)" = "get ${host}" ] && echo '{"Username":"u","Secret":"s"}'`,
    );
    shell.environment["ANSWERS"] = "no-push";
    await publish();
    expect(pushes()).toHaveLength(names.length * platforms.length);
    shell.write(".docker/config.json", "{");
    const { stderr } = await publish();
    expect(stderr).toContain(`  - ${file} is not JSON: `);
  });

  it("names gcloud's login for Google's registries", async () => {
    const { stderr } = await shell.call(() => run(["--source", shell.path("src")], root));
    expect(stderr).toContain(
      "gcloud auth login && gcloud auth configure-docker us-central1-docker.pkg.dev\n",
    );
  });

  it("missing or wrong local images with --skip-build", async () => {
    const reference = `${registry}/${last}:build-arm64`;
    shell.environment["ANSWERS"] = "no-local-image";
    await refuse(
      ["--skip-build"],
      [
        `${last}: there is no local image ${reference}: leave out --skip-build, or docker tag YOUR_IMAGE ${reference}`,
      ],
    );
    shell.environment["ANSWERS"] = "other-platform";
    await refuse(
      ["--skip-build"],
      [
        `${last}: the local image ${reference} is for linux/amd64, not for linux/arm64: leave out --skip-build`,
      ],
    );
  });

  it("untracked files as a warning, and as a problem if one looks like a secret and others can get the image", async () => {
    shell.pass("git");
    const sources = path.join(shell.folder, "src");
    for (const { context } of catalogue) shell.write(`src/${context}/.dockerignore`, "");
    const init =
      "git init -q . && git add . && git -c user.name=a -c user.email=a@example.com commit -qm sources";
    expect(shell.bash(`cd src && ${init}`).status).toBe(0);
    shell.write("src/coordinator/ui/.env", "");
    const dryRun = ["--source", sources, "--only", "hyperion-ui", "--dry-run"];
    const { status, stderr } = await shell.call(() => run(dryRun, root));
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^warning: \S+\/ui\/\.dockerignore: in the build of hyperion-ui, .*: \.env; allowed: /,
    );
    const secret = (image: string, folder: string, file: string, reach: string): string =>
      `${folder}: untracked files that look like secrets, in the build of ${image}: ${file} (environment file); ` +
      `allowed: no such file in an image that ${reach}; track a file in git if the image needs it: ` +
      `printf '%s\\n' ${file} >>${folder}/.dockerignore`;
    const unknown = "everyone may be able to pull (the stack does not manage the registry)";
    await refuse(
      ["--only", "hyperion-ui"],
      [secret("hyperion-ui", `${sources}/coordinator/ui`, ".env", unknown)],
    );
    const version = "is published as version 1.4.2";
    await refuse(
      ["--version", "1.4.2"],
      [
        secret("hyperion-http-bridge", `${sources}/coordinator`, "ui/.env", version),
        secret("hyperion-ui", `${sources}/coordinator/ui`, ".env", version),
      ],
    );
  });

  it.each<[string, string | undefined, boolean | "unknown"]>([
    ["{}", undefined, false],
    ["{ hyperion-registry:publicAccess: true }", undefined, true],
    ["{ hyperion-registry:readers: [allAuthenticatedUsers] }", undefined, true],
    ["{ hyperion-registry:manageRegistry: false }", undefined, "unknown"],
    ["{}", registry, "unknown"],
  ])("with the settings %s and --registry %s, everyone can pull: %s", (config, named, isPublic) => {
    shell.write("project/Pulumi.yaml", readFileSync(path.join(root, "Pulumi.yaml"), "utf8"));
    const place = "gcp:project: production-471918, gcp:region: us-central1";
    shell.write("project/Pulumi.x.yaml", `config: ${config.replace("{", `{ ${place},`)}\n`);
    const args = ["--stack", "x", ...(named === undefined ? [] : ["--registry", named])];
    const options = readOptions(args, []);
    const what = options === "help" ? undefined : readPublication(options, shell.path("project"), []);
    expect(what?.isPublic).toBe(isPublic);
  });

  it("all problems at once", async () => {
    shell.without("docker");
    rmSync(path.join(shell.folder, ".docker"), { recursive: true });
    rmSync(path.join(shell.folder, "src/coordinator/ui"), { recursive: true });
    const { stderr } = await publish();
    expect(stderr).toContain("has no coordinator/ui/Dockerfile");
    expect(stderr).toContain("Docker is not installed");
    expect(stderr).toContain("not logged in");
  });

  it("a machine without Node.js, with an old one, and without this project's packages", () => {
    const project = path.join(shell.folder, "project");
    for (const file of [script, "scripts/lib/problems.sh", "package.json"])
      shell.write(path.join("project", file), readFileSync(path.join(root, file), "utf8"));
    const refused = (): string => {
      const { status, stderr } = shell.run(path.join(project, script));
      expect(status).toBe(2);
      return stderr.replace(/^Nothing was started:\n {2}- /, "");
    };
    const why = "it reads images.json and the tag rules: install Node.js 22.18 or later";
    shell.fake("node", "echo v22.17.1");
    expect(refused()).toBe(
      `${shell.folder}/bin/node is Node.js 22.17.1; ${why}, or (cd ${project} && npm ci)\n`,
    );
    for (const version of ["v22.18.0", "v24.0.0"]) {
      shell.fake("node", `echo ${version}`);
      expect(refused()).toBe(`this project's packages are not installed: (cd ${project} && npm ci)\n`);
    }
    shell.without("node");
    expect(refused()).toBe(`Node.js is not installed; ${why}\n`);
  });
});

describe("failures", () => {
  it("shows the failing steps, pushes the other images, and keeps the logs in --log-dir", async () => {
    shell.environment["ANSWERS"] = "bad-build no-push";
    const [first = "", ...others] = names;
    shell.environment["NO_PUSH"] = `${first}:build-arm64`;
    const args = ["--version", "1.4.2", "--log-dir", shell.path("logs")];
    const { status, stdout, stderr } = await publish(...args);
    expect(status).toBe(1);
    expect(stdout).toMatch(new RegExp(`^${last} +build failed +\\d+$`, "m"));
    expect(stdout).toContain(
      `--- ${last}: build failed; the end of ${shell.path(`logs/${last}.log`)}:\n#5 ERROR: process "npm ci" failed\nbuild failed\n`,
    );
    expect(stdout).toMatch(new RegExp(`^${first} +push failed +\\d+$`, "m"));
    expect(stdout).toContain(`${first}: push failed: denied: Permission denied\n`);
    for (const name of others.slice(0, -1)) expect(stdout).toMatch(new RegExp(`^${name} +pushed`, "m"));
    expect(stdout).toContain(
      `\n2 of ${names.length} images failed; no tag was set. Fix it and run it again.\n`,
    );
    expect(stderr).not.toContain("found:");
    expect(pushes()).toHaveLength((names.length - 1) * platforms.length);
    expect(shell.read(`logs/${first}.log`)).toContain("digest: sha256:cccc");
  });

  it("repeats a build after the engine's known race, and reports it", async () => {
    shell.environment["ANSWERS"] = "racing-build no-push";
    const { stdout } = await publish("--jobs", "1");
    expect(stdout).toContain(`${last}: building once more: the engine lost a layer (moby/buildkit#6521)\n`);
    expect(pushes()).toHaveLength(names.length * platforms.length);
  });

  it("ends running builds on an interrupt", async () => {
    shell.environment["ANSWERS"] = "slow-build";
    const { child, ended } = shell.start(script, common());
    await expect.poll(() => shell.read("record.begun"), { timeout: 30_000 }).not.toBe("");
    const begun = Date.now();
    child.kill("SIGINT");
    const { status, stderr } = await ended;
    expect(status).toBe(130);
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect(stderr).toContain("Interrupted; run it again to go on.");
    expect(work().join("\n")).not.toContain(`push ${registry}/${last}`);
  });
});

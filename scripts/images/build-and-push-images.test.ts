import { mkdirSync, readFileSync, rmSync } from "node:fs";
import * as path from "node:path";
import { beforeEach, describe, expect, it, test } from "vitest";
import catalogue from "../../images.json" with { type: "json" };
import { type Ended, root, useShell } from "../../test/support/shell.ts";

const script = "scripts/build-and-push-images.sh";
const registry = "registry.example.com/project/repository";
const [mcp, bridge, ui] = ["hyperion-coordinator-mcp", "hyperion-http-bridge", "hyperion-ui"] as const;

/** Answers as Docker does; ANSWERS names what is to go wrong, one word each. */
const docker = `
record "$@"
case "$1 $2" in
  "buildx version") has no-buildx && { echo "docker: 'buildx' is not a docker command." >&2; exit 1; }; exit 0 ;;
  "--version ") has docker-28 && version=28.2.2; echo "Docker version \${version:-20.10.24}, build 1"; exit 0 ;;
  "version --format") has no-engine && { echo "Cannot connect to the Docker daemon" >&2; exit 1; }; echo 20.10.24; exit 0 ;;
  "image inspect")
    case "$4" in
      *Architecture*)
        [[ "$5" == *ui:* ]] && has no-local-ui && exit 1
        [[ "$5" == *ui:* ]] && has arm-ui && { echo linux/arm64; exit 0; }
        echo linux/amd64 ;;
      *) echo sha256:1111 ;;
    esac ;;
  "manifest inspect")
    for last; do :; done
    has unseen && { echo "denied: no" >&2; exit 1; }
    [[ "$last" == *ui:* ]] && has other-ui && { echo '{"Descriptor":{"digest": "sha256:aaaa"},"config":{"digest": "sha256:2222"}}'; exit 0; }
    has same && { echo '{"Descriptor":{"digest": "sha256:bbbb"},"config":{"digest": "sha256:1111"}}'; exit 0; }
    echo "no such manifest: $last" >&2; exit 1 ;;
  build*)
    [[ "$*" == *hyperion-ui* ]] && has bad-ui && { echo "#5 ERROR: process \\"npm ci\\" failed"; exit 1; }
    [[ "$*" == *hyperion-ui* ]] && has racing-ui && [ ! -e "$RECORD.raced" ] && {
      touch "$RECORD.raced"
      echo 'ERROR: failed to prepare extraction snapshot "extract-1-a sha256:1d": parent snapshot sha256:e6 does not exist: not found'; exit 1; }
    [[ "$*" == *hyperion-ui* ]] && has slow-ui && { echo begun >"$RECORD.begun"; sleep 30; }
    exit 0 ;;
  push*)
    has no-push && [[ "$*" == *bridge:1.4* ]] && { echo "denied: Permission denied" >&2; exit 1; }
    echo "\${2##*:}: digest: sha256:cccc size: 523" ;;
  tag*) exit 0 ;;
esac`;

const shell = useShell();

beforeEach(() => {
  shell.fake("docker", docker);
  shell.write(".docker/config.json", JSON.stringify({ auths: { "registry.example.com": { auth: "dTpw" } } }));
  for (const { context, dockerfile } of catalogue)
    shell.write(`src/${context}/${dockerfile}`, "FROM scratch\n");
});

function publish(...args: string[]): Ended {
  return shell.run(script, ["--registry", registry, "--source", path.join(shell.folder, "src"), ...args]);
}

const work = (): string[] => shell.calls().filter((call) => /^docker (build |push|tag)/.test(call));

const pushes = (): string[] => work().filter((call) => call.startsWith("docker push"));
const builds = (): string[] => work().filter((call) => call.startsWith("docker build"));

describe("what it publishes", () => {
  it("builds every image of the catalogue once and pushes every tag", () => {
    const { status, stdout } = publish("--version", "1.4.2", "--jobs", "1");
    expect(status).toBe(0);
    const expected = catalogue.flatMap(({ name, context, dockerfile }) => {
      const [image, folder] = [`${registry}/${name}`, path.join(shell.folder, "src", context)];
      const build = `docker build --progress plain --platform linux/amd64 --tag ${image}:build --file ${folder}/${dockerfile} ${folder}`;
      const tags = ["1.4.2", "1.4", "1", "latest", "v1.4.2"];
      return [
        build,
        ...tags.flatMap((tag) => [
          `docker tag ${image}:build ${image}:${tag}`,
          `docker push ${image}:${tag}`,
        ]),
      ];
    });
    expect(work()).toEqual(expected);
    for (const { name } of catalogue) {
      expect(stdout).toMatch(
        new RegExp(`^${name} +pushed +\\d+  sha256:cccc +1\\.4\\.2, 1\\.4, 1, latest, v1\\.4\\.2$`, "m"),
      );
    }
  });

  it.each<[string[], string[]]>([
    [[], ["latest"]],
    [
      ["--version", "2.0.0-rc.1"],
      ["2.0.0-rc.1", "v2.0.0-rc.1"],
    ],
    [
      ["--version", "1.3.9", "--backport"],
      ["1.3.9", "1.3", "v1.3.9"],
    ],
    [
      ["--revision", "abc123f".padEnd(40, "0"), "--edge", "--release-date", "2025-01-10"],
      ["abc123f", "edge", "2025-01-10"],
    ],
    [["--revision", "abc123f".padEnd(40, "0")], ["abc123f"]],
  ])("%j pushes %j", (args, tags) => {
    expect(publish("--only", ui, ...args).status).toBe(0);
    expect(pushes()).toEqual(tags.map((tag) => `docker push ${registry}/${ui}:${tag}`));
  });

  it("takes the images that --only names", () => {
    expect(publish("--only", ui, "--only", mcp).status).toBe(0);
    expect(work().join("\n")).not.toContain(bridge);
    expect(builds()).toHaveLength(2);
  });

  it("pushes local images as they are with --skip-build", () => {
    expect(publish("--skip-build").status).toBe(0);
    expect(builds()).toEqual([]);
    expect(pushes()).toHaveLength(3);
  });

  it("leaves a version alone that is published from the same build, and moves the floating tags", () => {
    shell.environment["ANSWERS"] = "same";
    const { status, stdout } = publish("--version", "1.4.2", "--only", ui);
    expect(status).toBe(0);
    expect(stdout).toMatch(/hyperion-ui +pushed/);
    expect(pushes()).toEqual(["1.4", "1", "latest"].map((tag) => `docker push ${registry}/${ui}:${tag}`));
  });

  it("takes production's registry by default", () => {
    const { stdout } = shell.run(script, ["--dry-run", "--source", path.join(shell.folder, "src")]);
    expect(stdout).toContain(
      "push  us-central1-docker.pkg.dev/production-471918/hyperion-public/hyperion-ui:latest\n",
    );
  });

  it("only tells with --dry-run, without Docker and without a login", () => {
    shell.without("docker");
    rmSync(path.join(shell.folder, ".docker"), { recursive: true });
    const { status, stdout } = publish("--dry-run", "--only", ui, "--version", "0.3.1");
    expect(status).toBe(0);
    expect(stdout.split("\n")).toEqual([
      `build hyperion-ui for linux/amd64 from ${shell.folder}/src/coordinator/ui, Dockerfile`,
      `push  ${registry}/hyperion-ui:0.3.1, unless another build is published under it`,
      `push  ${registry}/hyperion-ui:0.3`,
      `push  ${registry}/hyperion-ui:latest`,
      `push  ${registry}/hyperion-ui:v0.3.1, unless another build is published under it`,
      "",
    ]);
    expect(shell.calls()).toEqual([]);
  });

  it("prints its options with --help", () => {
    const { status, stdout } = shell.run(script, ["--help"]);
    expect(status).toBe(0);
    for (const option of [
      "--skip-build",
      "--only",
      "--version",
      "--registry",
      "--dry-run",
      "--jobs",
      "--help",
    ]) {
      expect(stdout).toContain(`  ${option}`);
    }
  });
});

describe("errors before any work", () => {
  const refuse = (args: string[], messages: string[]): void => {
    const { status, stdout, stderr } = publish(...args);
    expect(stderr).toBe(`Nothing was begun:\n${messages.map((message) => `  - ${message}\n`).join("")}`);
    expect(stdout).toBe("");
    expect(status).toBe(2);
    expect(work()).toEqual([]);
  };
  const names = `images.json has: ${[mcp, bridge, ui].join(", ")}`;

  test.each<[string[], string[]]>([
    [["--nonsense"], ["unknown option --nonsense; see --help"]],
    [["--only"], ["--only takes a value; see --help"]],
    [["--jobs", "0"], ["--jobs 0 must be a number from 1 to 99"]],
    [["--only", "hyperion-iu"], [`--only "hyperion-iu": no such image. Did you mean hyperion-ui? ${names}`]],
    [["--only", "x"], [`--only "x": no such image. ${names}`]],
    [
      ["--version", "v1.4.2", "--only", "x", "--jobs", "many"],
      [
        "--jobs many must be a number from 1 to 99",
        `--version "v1.4.2" must be a semantic version such as 1.4.2 or 2.0.0-rc.1: write 1.4.2, without v`,
        `--only "x": no such image. ${names}`,
      ],
    ],
    [
      ["--release-date", "2025-02-30", "--edge", "--revision", "abc123f".padEnd(40, "0")],
      [
        `--release-date "2025-02-30" must be a date YYYY-MM-DD such as 2025-01-10, and there is no such day in the calendar`,
      ],
    ],
    [["--edge"], ["--edge goes with --revision, the tip of main, and without --version"]],
    [["--release-date", "2025-01-10"], ["--release-date goes with --edge, the tip of main"]],
    [
      ["--version", "2.0.0-rc.1", "--backport"],
      ["--backport is for stable versions: the prerelease 2.0.0-rc.1 moves no other tag anyway"],
    ],
    [["--backport"], ["--backport takes a version: a backport is a release of an older line, such as 1.3.9"]],
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
  ])("%j", refuse);

  it("sources that are not there", () => {
    refuse(["--source", "nowhere"], [`the folder of the sources, nowhere, does not exist: --source DIR`]);
    const empty = path.join(shell.folder, "empty");
    mkdirSync(empty);
    const hint = "--source DIR names the folder that holds coordinator/";
    refuse(
      ["--source", empty],
      catalogue.map(
        ({ name, context, dockerfile }) => `${name}: ${empty} has no ${context}/${dockerfile}: ${hint}`,
      ),
    );
  });

  it("Docker that is missing, cannot build or does not answer", () => {
    shell.environment["ANSWERS"] = "no-buildx docker-28";
    refuse(
      [],
      [
        `${shell.folder}/bin/docker cannot build with BuildKit, its plugin buildx is missing: https://docs.docker.com/go/buildx/`,
      ],
    );
    shell.environment["ANSWERS"] = "no-engine";
    const remedy = "start it, or point DOCKER_HOST at one that runs";
    refuse([], [`the Docker engine does not answer: ${remedy}`]);
    shell.environment["DOCKER_HOST"] = "tcp://127.0.0.1:1";
    refuse([], [`the Docker engine does not answer at tcp://127.0.0.1:1: ${remedy}`]);
    shell.without("docker");
    refuse([], ["Docker is not installed (no docker on the PATH): https://docs.docker.com/get-docker/"]);
  });

  it("no login, in every way in which Docker keeps logins", () => {
    const file = path.join(shell.folder, ".docker/config.json");
    const host = "registry.example.com";
    const none = `not logged in at ${host} (${file} has no login for it): docker login ${host}`;
    const configure = (config: object): void => {
      shell.write(".docker/config.json", JSON.stringify(config));
    };
    for (const config of [
      {},
      { auths: {} },
      { auths: { [host]: {} } },
      { auths: { "other.example.com": { auth: "eA==" } } },
    ]) {
      configure(config);
      refuse([], [none]);
    }
    rmSync(file);
    refuse([], [none]);
    configure({ credHelpers: { [host]: "vault" } });
    refuse(
      [],
      [
        `not logged in at ${host}: ${file} names the credential helper docker-credential-vault, which is not on the PATH: install it, or docker login ${host}`,
      ],
    );
    for (const config of [{ credHelpers: { [host]: "vault" } }, { credsStore: "vault" }]) {
      configure(config);
      shell.fake("docker-credential-vault", "cat >/dev/null; echo 'credentials not found'; exit 1");
      refuse(
        [],
        [
          `not logged in at ${host}: the credential helper docker-credential-vault has no login for it: docker login ${host}`,
        ],
      );
      shell.fake(
        "docker-credential-vault",
        `[ "$1 $(cat)" = "get ${host}" ] && echo '{"Username":"u","Secret":"s"}'`,
      );
      expect(publish().status).toBe(0);
      shell.forgetCalls();
    }
    shell.write(".docker/config.json", "{");
    const { stderr } = publish();
    expect(stderr).toContain(`  - ${file} is not JSON: `);
  });

  it("names gcloud's login for Google's registries", () => {
    const { stderr } = shell.run(script, ["--source", path.join(shell.folder, "src")]);
    expect(stderr).toContain(
      "gcloud auth login && gcloud auth configure-docker us-central1-docker.pkg.dev\n",
    );
  });

  it("local images that --skip-build would push", () => {
    const reference = `${registry}/${ui}:build`;
    shell.environment["ANSWERS"] = "no-local-ui";
    refuse(
      ["--skip-build"],
      [
        `${ui}: there is no local image ${reference}: leave out --skip-build, or docker tag YOUR_IMAGE ${reference}`,
      ],
    );
    shell.environment["ANSWERS"] = "arm-ui";
    refuse(
      ["--skip-build"],
      [
        `${ui}: the local image ${reference} is for linux/arm64, and linux/amd64 is published: leave out --skip-build`,
      ],
    );
  });

  it("sources that hold what git does not: a warning, and what looks like a secret is refused under a version", () => {
    shell.pass("git");
    const sources = path.join(shell.folder, "src");
    for (const { context } of catalogue) shell.write(`src/${context}/.dockerignore`, "");
    const init =
      "git init -q . && git add . && git -c user.name=a -c user.email=a@example.com commit -qm sources";
    expect(shell.bash(`cd src && ${init}`).status).toBe(0);
    shell.write("src/coordinator/ui/.env", "");
    const { status, stderr } = publish("--only", ui);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^warning: \S+\/ui\/\.dockerignore: in the build of hyperion-ui, .*: \.env; allowed: /,
    );
    shell.forgetCalls();
    refuse(
      ["--only", ui, "--version", "1.4.2"],
      [
        `${sources}/coordinator/ui: files that look like secrets and that git does not track, in the build of hyperion-ui: .env (environment file); ` +
          "allowed: none of them in an image that is published as version 1.4.2; one that is meant to be there, tracked by git: " +
          `printf '%s\\n' .env >>${sources}/coordinator/ui/.dockerignore`,
      ],
    );
  });

  it("everything at once", () => {
    shell.without("docker");
    rmSync(path.join(shell.folder, ".docker"), { recursive: true });
    rmSync(path.join(shell.folder, "src/coordinator/ui"), { recursive: true });
    const { stderr } = publish();
    expect(stderr).toContain("has no coordinator/ui/Dockerfile");
    expect(stderr).toContain("Docker is not installed");
    expect(stderr).toContain("not logged in");
  });

  it("a machine without Node.js, with one that is too old, and without this project's packages", () => {
    const project = path.join(shell.folder, "project");
    for (const file of [script, "scripts/lib/problems.sh", "package.json"])
      shell.write(path.join("project", file), readFileSync(path.join(root, file), "utf8"));
    const refused = (): string => {
      const { status, stderr } = shell.run(path.join(project, script));
      expect(status).toBe(2);
      return stderr.replace(/^Nothing was begun:\n {2}- /, "");
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

  it("the Node.js that npm ci brings, before that on the PATH", () => {
    shell.fake("node", "echo v20.0.0");
    expect(publish("--dry-run").status).toBe(0);
  });
});

describe("failures on the way", () => {
  it("shows the failing step of which image, and publishes the others", () => {
    shell.environment["ANSWERS"] = "bad-ui";
    const { status, stdout } = publish("--version", "1.4.2");
    expect(status).toBe(1);
    expect(stdout).toMatch(/^hyperion-ui +build failed +\d+ {2}- +-$/m);
    expect(stdout).toMatch(
      /^--- hyperion-ui: build failed; the end of .*hyperion-ui\.log:\n#5 ERROR: process "npm ci" failed\nbuild failed$/m,
    );
    expect(stdout).toMatch(/^1 of 3 images failed; the others are published\. Fix it and run it again\.$/m);
    expect(pushes()).toHaveLength(10);
  });

  it("builds once more after the engine's known race, and says so", () => {
    shell.environment["ANSWERS"] = "racing-ui";
    const { status, stdout } = publish();
    expect(status).toBe(0);
    expect(stdout).toContain(
      "hyperion-ui: building once more: the engine lost a layer (moby/buildkit#6521)\n",
    );
    expect(work().filter((call) => call.startsWith("docker build"))).toHaveLength(4);
  });

  it("shows a failed push, and publishes the others", () => {
    shell.environment["ANSWERS"] = "no-push";
    const { status, stdout } = publish("--version", "1.4.2");
    expect(status).toBe(1);
    expect(stdout).toContain("hyperion-http-bridge: push failed: 1.4.2: denied: Permission denied\n");
    expect(stdout).toMatch(/^hyperion-ui +pushed/m);
  });

  it("never moves a published version to another build", () => {
    shell.environment["ANSWERS"] = "other-ui";
    const { status, stdout } = publish("--version", "1.4.2");
    expect(status).toBe(1);
    expect(stdout).toContain(
      "hyperion-ui: refused: 1.4.2 is published already, as sha256:aaaa, and this build is another (image sha256:1111). A published version never moves: choose a new --version, or move it under those who pinned it with --allow-version-overwrite\n",
    );
    expect(work().join("\n")).not.toContain(`docker push ${registry}/${ui}`);
    shell.forgetCalls();
    expect(publish("--version", "1.4.2", "--allow-version-overwrite").status).toBe(0);
    expect(work()).toContain(`docker push ${registry}/${ui}:1.4.2`);
  });

  it("pushes no version when it cannot see whether it is published", () => {
    shell.environment["ANSWERS"] = "unseen";
    const { status, stdout } = publish("--version", "1.4.2", "--only", ui);
    expect(status).toBe(1);
    expect(stdout).toContain("push failed: cannot see whether 1.4.2 is published already: denied: no\n");
    expect(pushes()).toEqual([]);
  });

  it("keeps the logs by image in --log-dir", () => {
    expect(publish("--log-dir", "logs", "--only", ui).status).toBe(0);
    expect(shell.read("logs/hyperion-ui.log")).toContain("digest: sha256:cccc");
  });

  it("ends the builds that run when it is interrupted", async () => {
    shell.environment["ANSWERS"] = "slow-ui";
    const args = ["--registry", registry, "--source", path.join(shell.folder, "src")];
    const { child, ended } = shell.start(script, args);
    await expect.poll(() => shell.read("record.begun"), { timeout: 30_000 }).not.toBe("");
    const begun = Date.now();
    child.kill("SIGINT");
    const { status, stderr } = await ended;
    expect(status).toBe(130);
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect(stderr).toContain("Interrupted; run it again to go on.");
    expect(work().join("\n")).not.toContain(`push ${registry}/${ui}`);
  });
});

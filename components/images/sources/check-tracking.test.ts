import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import * as path from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Problem } from "../../../problems/problem.ts";
import { repositoryRoot } from "../../../sandbox/lib/paths.ts";
import { contextDigest } from "../../../sandbox/providers/docker/context-digest.ts";
import { runCommand } from "../../../test/support/sandbox.ts";
import { useScratch } from "../../../test/support/scratch.ts";
import { checkTracking, type Purpose } from "./check-tracking.ts";

const UI = { name: "hyperion-ui", context: "coordinator/ui", dockerfile: "Dockerfile" };
const MCP = { name: "hyperion-coordinator-mcp", context: "coordinator/mcp-server", dockerfile: "Dockerfile" };
const BRIDGE = {
  name: "hyperion-http-bridge",
  context: "coordinator",
  dockerfile: "mcp-http-bridge/Dockerfile.combined",
};

const scratch = useScratch();
let sources: string;

beforeEach(() => {
  sources = scratch.path("sources");
  write("coordinator/ui/Dockerfile", "FROM scratch\n");
  write("coordinator/ui/src/main.js", "1\n");
  write("coordinator/mcp-server/Dockerfile", "FROM scratch\n");
  write("coordinator/mcp-server/main.go", "package main\n");
  write("coordinator/mcp-http-bridge/Dockerfile.combined", "FROM scratch\n");
});

const write = (file: string, text?: string): string => scratch.write(path.join(sources, file), text);

/** Runs a shell command, with git's default settings. */
async function sh(command: string, cwd = sources): Promise<string> {
  const env = {
    ...process.env,
    HOME: scratch.folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    // A template has many files.
    GIT_TEMPLATE_DIR: "",
  };
  const { code, output } = await runCommand("bash", ["-c", command], env, { cwd });
  expect(code, output).toBe(0);
  return output;
}

/** Commits all files of a folder. */
const commitIn = (folder: string): Promise<string> =>
  sh(
    `git init -q ${folder} && cd ${folder} && git add -A && git -c user.name=a -c user.email=a@example.com commit -qm sources`,
  );
const commit = (): Promise<string> => commitIn(".");

const ADD_SUBMODULE = "git -c protocol.file.allow=always submodule --quiet add";

const check = (images = [MCP, BRIDGE, UI], purpose: Partial<Purpose> = {}) =>
  checkTracking(sources, images, { isPublic: false, ...purpose });

/** Adds ignore files, which Hyperion's sources do not have. */
function addIgnoreFiles(): void {
  write("coordinator/.dockerignore", "ui\n**/node_modules\n");
  write("coordinator/ui/.dockerignore", "node_modules\n");
  write("coordinator/mcp-server/.dockerignore", "Dockerfile.dev\n");
}

describe("contexts without an ignore file", () => {
  test("are reported with the command that creates one", async () => {
    write("coordinator/mcp-server/.dockerignore", "");
    await commit();
    const { problems, warnings } = await check();
    expect(problems).toEqual([]);
    expect(warnings.map(({ where, found, fix }) => [where, found, fix])).toEqual(
      ["coordinator", "coordinator/ui"].map((context, index) => [
        path.join(sources, context),
        `no ignore file, so the build of ${[BRIDGE, UI][index]?.name ?? ""} sees all files`,
        `printf '%s\\n' '**/.env' '**/node_modules' >>${sources}/${context}/.dockerignore`,
      ]),
    );
    for (const { fix } of warnings) await sh(fix);
    expect((await check()).warnings).toEqual([]);
    expect(readFileSync(path.join(sources, "coordinator/.dockerignore"), "utf8")).toBe(
      "**/.env\n**/node_modules\n",
    );
  });

  test("are reported without git too, unless the Dockerfile has its own ignore file", async () => {
    write("coordinator/ui/Dockerfile.dockerignore", "");
    const { problems, warnings } = await check(undefined, { version: "1.4.2" });
    expect(problems).toEqual([]);
    expect(warnings.map(({ where }) => path.relative(sources, where))).toEqual([
      "coordinator/mcp-server",
      "coordinator",
      "",
    ]);
  });
});

describe("Hyperion's sources on a developer's machine", () => {
  beforeEach(async () => {
    write(".gitignore", "node_modules\n.env\n/coordinator/mcp-server/hyper-mcp\n*.log\n");
    await commit();
    write("coordinator/mcp-server/hyper-mcp", "binary");
    write("coordinator/mcp-server/reports/junit.xml");
    write("coordinator/mcp-server/reports/coverage.html");
    write("coordinator/ui/node_modules/react/index.js");
    write("coordinator/ui/node_modules/test/key.pem");
    write("coordinator/ui/.env", "VITE_TOKEN=1\n");
    write("coordinator/ui/.env.example", "VITE_TOKEN=\n");
    write("coordinator/keys/deploy.pem");
    write("coordinator/keys/deploy.pub");
  });

  test("have untracked files, which are reported by context with lines that hide them", async () => {
    const { problems, warnings } = await check();
    expect(problems).toEqual([]);
    expect(warnings.map(({ where, found }) => [path.relative(sources, where), found])).toEqual([
      [
        "coordinator/mcp-server",
        "no ignore file, so the build of hyperion-coordinator-mcp sees all files; in the build of hyperion-coordinator-mcp, files that git does not track: hyper-mcp, reports/",
      ],
      [
        "coordinator",
        "no ignore file, so the build of hyperion-http-bridge sees all files; in the build of hyperion-http-bridge, files that git does not track: keys/, keys/deploy.pem, mcp-server/hyper-mcp, mcp-server/reports/, ui/.env, ui/.env.example, ui/node_modules/",
      ],
      [
        "coordinator/ui",
        "no ignore file, so the build of hyperion-ui sees all files; in the build of hyperion-ui, files that git does not track: .env, .env.example, node_modules/",
      ],
    ]);
    const digests = async (root: string) =>
      Promise.all(
        [MCP, BRIDGE, UI].map(({ context, dockerfile }) =>
          contextDigest(path.join(root, context), path.join(root, context, dockerfile)),
        ),
      );
    const elsewhere = async (name: string) => {
      await sh("git add . && git -c user.name=a -c user.email=a@example.com commit -qm more --allow-empty");
      await sh(`git clone -q ${sources} ${scratch.path(name)}`);
      return digests(scratch.path(name));
    };
    // On another machine, every build of the same commit differs.
    const [there, here] = [await elsewhere("before"), await digests(sources)];
    expect(there.filter((digest) => here.includes(digest))).toEqual([]);
    for (const { fix } of (await check()).warnings) await sh(fix);
    expect(await elsewhere("after")).toEqual(await digests(sources));
    expect(await check()).toEqual({ problems: [], warnings: [] });
  });

  test("have files that look like secrets, which are an error in an image that others get", async () => {
    const { problems, warnings } = await check([BRIDGE, UI], { version: "1.4.2" });
    const refused = (image: string, folder: string, files: string, lines: string) => ({
      where: path.join(sources, folder),
      found: `untracked files that look like secrets, in the build of ${image}: ${files}`,
      allowed:
        "no such file in an image that is published as version 1.4.2; track a file in git if the image needs it",
      fix: `printf '%s\\n' ${lines} >>${sources}/${folder}/.dockerignore`,
    });
    const [pem, env] = ["keys/deploy.pem (private key)", ".env (environment file)"];
    expect(problems).toEqual([
      refused("hyperion-http-bridge", "coordinator", `${pem}, ui/${env}`, "keys/deploy.pem ui/.env"),
      refused("hyperion-ui", "coordinator/ui", env, ".env"),
    ]);
    expect(JSON.stringify(warnings)).not.toMatch(/deploy\.pem|ui\/\.env[^.]/);
    const [forEveryone] = (await check([UI], { isPublic: true })).problems;
    expect(forEveryone?.allowed).toContain("in an image that everyone can pull;");
    for (const { fix } of problems) await sh(fix);
    expect((await check([BRIDGE, UI], { version: "1.4.2" })).problems).toEqual([]);
  });

  test("can track files that look like secrets", async () => {
    await sh("git add -f coordinator/ui/.env coordinator/keys");
    expect((await check([BRIDGE, UI], { version: "1.4.2" })).problems).toEqual([]);
  });

  test("have ignore files with the rules of a build", async () => {
    write("coordinator/ui/.dockerignore", "*\n!src\n!keys/**/*.pem");
    write("coordinator/ui/keys/a/server.pem");
    write("coordinator/ui/keys/a/server.txt");
    const { problems } = await check([UI], { version: "1.4.2" });
    expect(problems.map(({ found }) => found)).toEqual([
      "untracked files that look like secrets, in the build of hyperion-ui: keys/a/server.pem (private key)",
    ]);
    // The last line of the ignore file has no line break.
    await sh(problems[0]?.fix ?? "");
    expect((await check([UI], { version: "1.4.2" })).problems).toEqual([]);
  });
});

test("special characters of ignore files and shells are escaped", async () => {
  addIgnoreFiles();
  await commit();
  for (const name of ["a*b", "#c", "!d", "e f", "g[h]", "i'j"]) write(`coordinator/ui/${name}`);
  write("coordinator/ui/axb");
  const [warning] = (await check([UI])).warnings;
  expect(warning?.found).toContain("!d, #c, a*b, axb, e f, g[h], i'j");
  rmSync(path.join(sources, "coordinator/ui/axb"));
  const [again] = (await check([UI])).warnings;
  await sh(again?.fix ?? "");
  await sh("git add coordinator/ui/.dockerignore");
  expect((await check([UI])).warnings).toEqual([]);
  write("coordinator/ui/axb");
  expect((await check([UI])).warnings).toHaveLength(1);
});

test("a .git folder in a context is reported", async () => {
  await commit();
  write("Dockerfile", "FROM scratch\n");
  write(".dockerignore", "Dockerfile\n");
  await sh("git add .");
  const image = { name: "all", context: ".", dockerfile: "Dockerfile" };
  expect((await check([image])).warnings[0]?.found).toContain(
    "in the build of all, files that git does not track: .git",
  );
  await sh(`git remote add origin https://x:ghp_${"a1B2".repeat(9)}@github.com/a/b`);
  expect((await check([image], { isPublic: true })).problems[0]?.found).toContain(
    "in the build of all: .git/config (secretlint: github)",
  );
  write(".dockerignore", "Dockerfile\n.git\n");
  expect((await check([image])).warnings).toEqual([]);
});

test("every file is searched in sources that git ignores, with a warning", async () => {
  addIgnoreFiles();
  await commit();
  sources = path.join(sources, "copy");
  write("coordinator/ui/Dockerfile");
  write("coordinator/ui/.dockerignore");
  write("coordinator/ui/.env");
  const warnings = [
    {
      where: sources,
      found: "sources of hyperion-ui outside of any git repository: every file counts as untracked",
      allowed: "a clone, so that other machines build the same",
      fix: "npm run pulumi -- config set hyperion-registry:sourceDir PATH",
    },
  ];
  expect(await check([UI])).toEqual({ problems: [], warnings });
  const { problems, warnings: more } = await check([UI], { isPublic: true });
  expect(more).toEqual(warnings);
  expect(problems.map(({ found }) => found)).toEqual([
    expect.stringContaining("in the build of hyperion-ui: .env (environment file)"),
  ]);
});

describe("if git cannot read the sources", () => {
  const BIN = () => scratch.path("bin");

  beforeEach(async () => {
    addIgnoreFiles();
    await commit();
    write("coordinator/ui/.env");
  });

  /** Expects one problem for a purpose, and the same as a warning for a plain build. */
  async function refused(purpose: Partial<Purpose>): Promise<Problem | undefined> {
    const { problems, warnings } = await check([UI], purpose);
    expect(warnings).toEqual([]);
    expect(problems).toHaveLength(1);
    const plain = await check([UI]);
    expect(plain.problems).toEqual([]);
    expect(plain.warnings.map(({ found }) => found)).toEqual(problems.map(({ found }) => found));
    return problems[0];
  }

  test("because they belong to another user, a release is refused with git's message", async () => {
    const purpose = { version: "1.4.2" };
    // Git's own tests set this variable.
    vi.stubEnv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    expect(await refused(purpose)).toEqual({
      where: sources,
      found: `sources that git cannot compare with a commit: fatal: detected dubious ownership in repository at '${sources}'`,
      allowed: "for an image that is published as version 1.4.2, sources whose untracked files git can list",
      fix: `git config --global --add safe.directory ${sources}   # git then follows that repository's configuration, which can start programs`,
    });
    vi.stubEnv("HOME", scratch.folder);
    await sh((await refused(purpose))?.fix.replace("--global", "--file ~/.gitconfig") ?? "");
    const found = (await check([UI], purpose)).problems.map((problem) => problem.found);
    expect(found).toEqual([expect.stringContaining("files that look like secrets")]);
  });

  test("because git is not installed", async () => {
    vi.stubEnv("PATH", BIN());
    expect(await refused({ isPublic: true })).toMatchObject({
      found: "sources that git cannot compare with a commit: git is not installed",
      fix: "install git: https://git-scm.com/downloads",
    });
  });

  test("because the repository of the worktree is missing", async () => {
    await sh("git worktree add -q ../tree && mv .git ../away");
    sources = scratch.path("tree");
    expect(await refused({ isPublic: true })).toMatchObject({
      where: sources,
      found: expect.stringMatching(/: fatal: not a git repository: .*worktrees\/tree$/) as string,
      fix: `git -C ${sources} status`,
    });
  });

  test("because a submodule is broken", async () => {
    scratch.write("other/a");
    await commitIn("../other");
    await sh(`${ADD_SUBMODULE} ../other coordinator/ui/other && rm -r .git/modules`);
    expect((await refused({ isPublic: true }))?.where).toBe(path.join(sources, "coordinator/ui/other"));
  });
});

describe("special repositories", () => {
  const version = { version: "1.4.2" };
  const found = async (purpose: Partial<Purpose> = version) => {
    const { problems, warnings } = await check([BRIDGE, UI], purpose);
    return [...problems, ...warnings].map((one) => one.found);
  };

  beforeEach(async () => {
    write("coordinator/.dockerignore", "**/.git\n");
    write("coordinator/ui/.dockerignore", ".git\n");
    await commit();
  });

  test("a worktree is checked, also through a link into it", async () => {
    await sh("git worktree add -q ../tree");
    sources = path.dirname(scratch.write("linked/file"));
    symlinkSync(scratch.path("tree/coordinator"), path.join(sources, "coordinator"));
    expect(await found()).toEqual([]);
    write("coordinator/ui/.env");
    expect(await found()).toEqual([
      expect.stringContaining("in the build of hyperion-http-bridge: ui/.env"),
      expect.stringContaining("in the build of hyperion-ui: .env"),
    ]);
  });

  test("a submodule is checked, as a context and in a context", async () => {
    await sh("mkdir ../other && mv coordinator/ui/{*,.dockerignore} ../other");
    await commitIn("../other");
    await sh(`git rm -rq coordinator/ui && ${ADD_SUBMODULE} ../other coordinator/ui`);
    await commitIn(".");
    expect(await found()).toEqual([]);
    write("coordinator/ui/.env");
    write("coordinator/ui/src/main.js", "2\n");
    expect(await found()).toEqual([
      expect.stringContaining("in the build of hyperion-http-bridge: ui/.env"),
      expect.stringContaining("in the build of hyperion-ui: .env"),
      "uncommitted changes in sources that are published as 1.4.2: src/main.js",
    ]);
    await sh("git submodule --quiet deinit --force coordinator/ui");
    const { warnings } = await check([BRIDGE], version);
    expect(warnings.map((one) => one.found)).toEqual([
      "files that git does not compare or has not checked out: coordinator/ui",
    ]);
    expect(warnings[0]?.fix).toBe(`git -C ${sources} submodule update --init`);
  });

  test("files outside of a sparse checkout, and files that git does not compare, are reported", async () => {
    await sh(
      "git sparse-checkout set --no-cone '/*' '!/coordinator/ui/src' && git update-index --assume-unchanged coordinator/ui/Dockerfile",
    );
    write("coordinator/ui/Dockerfile", "FROM other\n");
    const [warning, ...more] = (await check([UI], version)).warnings;
    expect(more).toEqual([]);
    expect(warning?.found).toBe(
      "files that git does not compare or has not checked out: coordinator/ui/Dockerfile, coordinator/ui/src/main.js",
    );
    await sh(warning?.fix ?? "");
    expect(await found()).toEqual([
      "uncommitted changes in sources that are published as 1.4.2: coordinator/ui/Dockerfile",
    ]);
  });

  test("variables of a git hook are ignored, and the configuration of a repository starts no program", async () => {
    const program = scratch.write("program", `#!/bin/sh\ntouch ${scratch.path("started")}\n`, 0o755);
    await sh(`git config core.fsmonitor ${program} && git config core.hooksPath ${scratch.folder}`);
    vi.stubEnv("GIT_DIR", scratch.path("nowhere"));
    vi.stubEnv("GIT_INDEX_FILE", scratch.path("nowhere/index"));
    expect(await found()).toEqual([]);
    expect(existsSync(scratch.path("started"))).toBe(false);
  });
});

test("a release of uncommitted sources is reported, by version or commit", async () => {
  addIgnoreFiles();
  write("other/notes.md", "a\n");
  await commit();
  write("coordinator/ui/src/main.js", "2\n");
  await sh("git mv coordinator/mcp-server/main.go coordinator/mcp-server/start.go");
  write("other/notes.md", "b\n");
  expect((await check()).warnings).toEqual([]);
  const { problems, warnings } = await check(undefined, { version: "1.4.2" });
  expect(problems).toEqual([]);
  expect(warnings).toEqual([
    {
      where: sources,
      found:
        "uncommitted changes in sources that are published as 1.4.2: coordinator/mcp-server/start.go, coordinator/ui/src/main.js",
      allowed: "committed sources",
      fix: `git -C ${sources} commit --all   # or, to put them away: git -C ${sources} stash`,
    },
  ]);
  expect((await check(undefined, { revision: "1.4.2" })).warnings).toEqual(warnings);
  const person = "export GIT_EDITOR='echo x >' GIT_{AUTHOR,COMMITTER}_{NAME,EMAIL}=x";
  await sh(`${person}; ${warnings[0]?.fix ?? ""}`);
  expect((await check(undefined, { version: "1.4.2" })).warnings).toEqual([]);
});

describe("files that differ from git's", () => {
  async function checkOutOnWindows(): Promise<void> {
    await sh(`git clone -q -c core.autocrlf=true ${sources} windows`, scratch.folder);
    sources = scratch.path("windows");
  }

  test("a checkout by Git for Windows is reported, and the fix checks all files out again", async () => {
    addIgnoreFiles();
    write("coordinator/ui/entrypoint.sh", "#!/bin/sh\necho 1\n");
    write("coordinator/ui/windows.cmd", "echo 1\r\n");
    write(".gitattributes", "*.cmd text eol=crlf\n");
    await commit();
    await checkOutOnWindows();
    expect(readFileSync(path.join(sources, "coordinator/ui/entrypoint.sh"), "utf8")).toContain("\r\n");
    const { warnings } = await check([UI]);
    expect(warnings.map(({ found }) => found)).toEqual([
      "Windows line endings in files that have Unix line endings in git: coordinator/ui/.dockerignore, coordinator/ui/Dockerfile, coordinator/ui/entrypoint.sh, coordinator/ui/src/main.js",
    ]);
    await sh(warnings[0]?.fix ?? "");
    expect(readFileSync(path.join(sources, "coordinator/ui/entrypoint.sh"), "utf8")).toBe(
      "#!/bin/sh\necho 1\n",
    );
    expect((await check([UI])).warnings).toEqual([]);
  });

  test("this project's attributes keep line endings in a checkout by Git for Windows", async () => {
    addIgnoreFiles();
    write("coordinator/ui/entrypoint.sh", "#!/bin/sh\necho 1\n");
    write("coordinator/ui/logo.png", "\n\n");
    write(".gitattributes", readFileSync(path.join(repositoryRoot, ".gitattributes"), "utf8"));
    await commit();
    await checkOutOnWindows();
    const read = (file: string) => readFileSync(path.join(sources, "coordinator/ui", file), "utf8");
    expect([read("entrypoint.sh"), read("logo.png")]).toEqual(["#!/bin/sh\necho 1\n", "\n\n"]);
    expect((await check([UI])).warnings).toEqual([]);
  });

  test("other modes are reported, even if git ignores modes", async () => {
    addIgnoreFiles();
    await commit();
    await sh("git config core.fileMode false");
    chmodSync(path.join(sources, "coordinator/ui/src/main.js"), 0o777);
    chmodSync(path.join(sources, "coordinator/ui/Dockerfile"), 0o664);
    chmodSync(path.join(sources, "coordinator/mcp-server/Dockerfile"), 0o664);
    const { warnings } = await check([UI]);
    expect(warnings.map(({ found, fix }) => [found, fix])).toEqual([
      [
        "file modes that differ from git's: coordinator/ui/Dockerfile, coordinator/ui/src/main.js",
        `chmod 644 ${sources}/coordinator/ui/Dockerfile && chmod 644 ${sources}/coordinator/ui/src/main.js`,
      ],
    ]);
    await sh(warnings[0]?.fix ?? "");
    expect((await check([UI])).warnings).toEqual([]);
  });

  test("many files with other modes have one fix", async () => {
    addIgnoreFiles();
    for (let index = 0; index < 9; index += 1) write(`coordinator/ui/src/${index}.js`);
    chmodSync(write("coordinator/ui/run.sh"), 0o755);
    await commit();
    await sh("chmod -R g+w coordinator");
    const [warning] = (await check([UI])).warnings;
    expect(warning?.found).toMatch(/ and \d more$/);
    await sh(warning?.fix ?? "");
    expect((await check()).warnings).toEqual([]);
    await sh("chmod -R 777 coordinator");
    expect((await check([UI])).warnings[0]?.fix).toContain("in WSL, below your home folder");
  });
});

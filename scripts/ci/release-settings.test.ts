import { beforeEach, describe, expect, it, test } from "vitest";
import { gitState, publishedCheckout, releaseSettings } from "./release-settings.ts";
import { type Ended, useShell } from "../../test/support/shell.ts";

const commit = "abc123f".padEnd(40, "0");
const date = "2025-01-10";
const NONE = { version: "", revision: "", releaseDate: "" };

test.each<[string, boolean, Record<string, string>]>([
  ["refs/heads/main", true, { revision: commit, releaseDate: date }],
  ["refs/heads/main", false, { revision: commit }],
  ["refs/tags/v1.4.2", true, { version: "1.4.2" }],
  ["refs/tags/v1.4.2", false, { version: "1.4.2" }],
  ["refs/tags/v2.0.0-rc.1", true, { version: "2.0.0-rc.1" }],
])("%s, at the tip: %j -> %j, without the settings of the stack's file", (ref, isTip, settings) => {
  expect(releaseSettings({ ref, commit, date, isTip })).toEqual({ ...NONE, ...settings });
});

test.each(["vnext", "1.4.2", "v1.4", "v1.4.2+build", "v01.4.2"])("refuses the tag %s", (tag) => {
  const state = { ref: `refs/tags/${tag}`, commit, date, isTip: false };
  expect(() => releaseSettings(state)).toThrow(`the tag ${tag} is not a version: use a name such as v1.4.2`);
});

const shell = useShell();

describe("in a checkout", () => {
  let commits: string[];

  beforeEach(() => {
    shell.pass("git");
    const { stdout } = shell.bash(`export GIT_COMMITTER_DATE=2025-01-10T23:30:00-0200
git init --quiet --initial-branch main
commit() { git -c user.name=n -c user.email=e@example.com commit --quiet --allow-empty -m "$1"; git rev-parse HEAD; }
commit one
commit two
git init --quiet --bare remote
git push --quiet remote main
commit three
`);
    commits = stdout.trim().split("\n");
  });

  const main = (commit: string, remote?: string) =>
    releaseSettings(gitState({ ref: "refs/heads/main", commit, remote, folder: shell.folder }));
  const command = (...args: string[]): Ended =>
    shell.run("scripts/ci/main.ts", ["release-settings", ...args]);

  it("asks git for the commit's day in UTC, and the remote for the tip", () => {
    const [one = "", two = "", three = ""] = commits;
    const tip = (revision: string) => ({ ...NONE, revision, releaseDate: "2025-01-11" });
    expect(main(two, "remote")).toEqual(tip(two));
    expect(main(one, "remote")).toEqual({ ...NONE, revision: one });
    expect(main(three, "remote")).toEqual({ ...NONE, revision: three });
    expect(main(one)).toEqual(tip(one));
    expect(command("refs/heads/main", one).stdout).toBe(
      Object.entries(tip(one))
        .map(([key, value]) => `hyperion-registry:${key} ${value}\n`)
        .join(""),
    );
  });

  it("asks for the tip of main, not of a branch whose name ends with it", () => {
    const [one = "", two = ""] = commits;
    shell.bash(`git push --quiet remote ${one}:refs/heads/a/refs/heads/main`);
    expect(main(one, "remote")["releaseDate"]).toBe("");
    expect(main(two, "remote")["releaseDate"]).toBe("2025-01-11");
  });

  it("publishes the checkout of the sources if they are in another repository", () => {
    const [one = "", two = "", three = ""] = commits;
    const options = (...args: string[]): string[] =>
      shell
        .run("scripts/ci/main.ts", ["run-options", ...args])
        .stdout.split("\n")
        .filter((word) => word.includes("="));
    const other = "f".repeat(40);
    shell.bash("git clone --quiet --branch main remote sources");
    const [sources, remote] = [shell.path("sources"), shell.path("remote")];
    Object.assign(shell.environment, { SOURCES_FOLDER: "sources/", SOURCES_REMOTE: remote });
    expect(options("refs/heads/main", other, "elsewhere")).toEqual(
      expect.arrayContaining([
        `hyperion-registry:revision=${two}`,
        "hyperion-registry:releaseDate=2025-01-11",
        "hyperion-registry:sourceDir=sources/",
        "hyperion-registry:buildCache=registry",
      ]),
    );
    expect(options("refs/tags/v1.4.2", three, "elsewhere")).toEqual(
      expect.arrayContaining(["hyperion-registry:version=1.4.2", "hyperion-registry:sourceDir=sources/"]),
    );
    const own = { ref: "refs/heads/main", commit: other };
    const published = (asked?: string) =>
      releaseSettings(gitState(publishedCheckout({ ...own, remote: asked }, sources, remote)));
    expect(published()).toEqual({ ...NONE, revision: two, releaseDate: "2025-01-11" });
    shell.bash(`git -C sources checkout --quiet ${one}`);
    expect(published("elsewhere")).toEqual({ ...NONE, revision: one });
  });

  it("fails if the remote does not answer", () => {
    const [one = ""] = commits;
    const silent = command("refs/heads/main", one, "nowhere");
    expect(silent).toMatchObject({ status: 1, stdout: "" });
    expect(silent.stderr).toContain("'nowhere' does not appear to be a git repository");
  });

  it("logs git in with the job's token, which is on no command line", () => {
    const [one = ""] = commits;
    shell.fake(
      "git",
      `record "$@"
env | grep ^GIT_CONFIG_ >"$TMPDIR/login" || :
case "$1" in ls-remote) echo "${one}	refs/heads/main" ;; show) echo 2025-01-10 ;; esac`,
    );
    shell.environment = {
      ...shell.environment,
      GITHUB_TOKEN: "the-token",
      GITHUB_SERVER_URL: "https://github.com",
    };
    shell.enter();
    expect(main(one, "https://github.com/o/n")["releaseDate"]).toBe("2025-01-10");
    expect(shell.calls()).toContain("git ls-remote https://github.com/o/n refs/heads/main");
    expect(shell.calls().join("\n")).not.toContain("the-token");
    const login = Buffer.from("x-access-token:the-token").toString("base64");
    expect(shell.read("login").split("\n").sort().slice(1)).toEqual([
      "GIT_CONFIG_COUNT=1",
      "GIT_CONFIG_KEY_0=http.https://github.com/.extraheader",
      `GIT_CONFIG_VALUE_0=Authorization: Basic ${login}`,
    ]);
  });
});

it("publishes with one pulumi up that overrides the stack's file", () => {
  const publish = (...args: string[]): Ended =>
    shell.run("scripts/publish-ref.sh", ["--stack", "s", ...args]);
  shell.environment["GITHUB_RUN_ID"] = "7";
  shell.pass("git");
  shell.fake("node", `record "$@"; printf '%s\\n' --config hyperion-registry:version= --config 'k=a b'`);
  shell.fake("pulumi", `record "$@"; echo $# arguments`);
  expect(publish("refs/heads/main", commit, "https://g/o/n")).toMatchObject({
    status: 0,
    stdout: "--config hyperion-registry:version= --config k=a b\n11 arguments\n",
  });
  expect(shell.calls()).toEqual([
    `node scripts/ci/main.ts run-options refs/heads/main ${commit} https://g/o/n`,
    "pulumi up --yes --skip-preview --stack s --message run 7 --config hyperion-registry:version= --config k=a b",
  ]);
  shell.forgetCalls();
  shell.fake("node", "echo no version >&2; exit 1");
  expect(publish("refs/tags/v", commit, "https://g/o/n")).toMatchObject({
    status: 1,
    stderr: "no version\n",
  });
  expect(publish().status).toBe(2);
  expect(shell.calls()).toEqual([]);
});

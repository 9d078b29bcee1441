import * as path from "node:path";
import { expect, it, test } from "vitest";
import { releaseSettings } from "./release-settings.ts";
import { root, Shell, type Ended } from "../../test/support/shell.ts";

const commit = "abc123f".padEnd(40, "0");
const date = "2025-01-10";

test.each<[string, string[], Record<string, string>]>([
  ["refs/heads/main", ["v1.4.2"], { revision: commit, releaseDate: date }],
  ["refs/tags/v1.4.2", ["v1.4.2"], { version: "1.4.2" }],
  ["refs/tags/v1.4.2", ["v1.4.2", "v1.4.1", "v0.9.0", ""], { version: "1.4.2" }],
  ["refs/tags/v1.3.9", ["v1.3.9", "v1.4.2"], { version: "1.3.9", backport: "true" }],
  ["refs/tags/v1.10.0", ["v1.9.0", "v1.10.0"], { version: "1.10.0" }],
  ["refs/tags/v1.4.2", ["v1.4.2", "v2.0.0-rc.1", "vnext", "9.0.0"], { version: "1.4.2" }],
  ["refs/tags/v2.0.0-rc.1", ["v2.0.0", "v2.0.0-rc.1"], { version: "2.0.0-rc.1" }],
])("%s beside %j -> %j", (ref, tags, settings) => {
  expect(releaseSettings({ ref, commit, date, tags })).toEqual(settings);
});

test.each(["vnext", "1.4.2", "v1.4", "v1.4.2+build", "v01.4.2"])("refuses the tag %s", (tag) => {
  const state = { ref: `refs/tags/${tag}`, commit, date, tags: [tag] };
  expect(() => releaseSettings(state)).toThrow(
    `the tag ${tag} is no version to publish: name it like v1.4.2`,
  );
});

it("asks git for the tags and the commit's day in UTC", () => {
  const shell = new Shell();
  shell.pass("git");
  const repository = shell.write(
    "repository.sh",
    `export GIT_COMMITTER_DATE=2025-01-10T23:30:00-0200
git init --quiet
git -c user.name=n -c user.email=e@example.com commit --quiet --allow-empty -m x
git tag v1.4.2
git tag v1.3.9
git rev-parse HEAD
`,
  );
  const head = shell.run(path.relative(root, repository)).stdout.trim();
  const run = (ref: string): Ended => shell.run("scripts/ci/main.ts", ["release-settings", ref, head]);
  try {
    expect(run("refs/heads/main").stdout).toBe(
      `hyperion-registry:revision ${head}\nhyperion-registry:releaseDate 2025-01-11\n`,
    );
    expect(run("refs/tags/v1.3.9").stdout).toBe(
      "hyperion-registry:version 1.3.9\nhyperion-registry:backport true\n",
    );
    expect(run("refs/tags/vnext")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "the tag vnext is no version to publish: name it like v1.4.2\n",
    });
  } finally {
    shell.remove();
  }
});

// The fixtures are what Pulumi 3.259 printed for the sandbox's stack, without the resources' properties.
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe as group, expect, it, test } from "vitest";
import { describe, readPreview, type Preview } from "./preview.ts";
import { PUBLIC_ANYWAY } from "../../components/access/public-grants.ts";
import { driftReport, previewComment } from "./reports.ts";
import { Shell, type Ended } from "../../test/support/shell.ts";

const fixture = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, "fixtures", name), "utf8");
const preview = (name: string): Preview => readPreview(fixture(name));

let shell: Shell;

beforeAll(() => {
  shell = new Shell();
});

afterAll(() => {
  shell.remove();
});

const run = (subcommand: string, args: string[], input = ""): Ended =>
  shell.run("scripts/ci/main.ts", [subcommand, ...args], input);

group("readPreview", () => {
  it("takes what changes and leaves what stays", () => {
    expect(preview("preview-grant.json")).toEqual({
      changes: [
        {
          operation: "create",
          type: "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
          name: "ci-writer",
          properties: [],
        },
      ],
      errors: [],
      warnings: [],
    });
    expect(preview("preview-release.json").changes).toHaveLength(21);
  });

  it("takes what a refresh found to differ, and which properties", () => {
    expect(preview("refresh-drift.json").changes.map(describe)).toContain(
      "update gcp:artifactregistry/repository:Repository registry (description)",
    );
  });

  it("takes errors", () => {
    expect(preview("preview-failed.json").errors[0]).toMatch(/^error: 1 problem; nothing was changed\./);
  });

  test.each(["", "error: no stack named 'production' found", "[]", "null"])(
    "knows %j as no preview",
    (text) => {
      expect(readPreview(text)).toEqual({ changes: [], errors: ["Pulumi printed no preview"], warnings: [] });
    },
  );
});

group("only-images-change", () => {
  it("lets images and tags pass", () => {
    const { status, stdout } = run("only-images-change", [], fixture("preview-release.json"));
    expect([status, stdout]).toEqual([0, "Only images and tags change: 21 changes.\n"]);
  });

  it("lets a preview without changes pass", () => {
    const { status, stdout } = run("only-images-change", [], '{"steps": [], "changeSummary": {"same": 3}}');
    expect([status, stdout]).toEqual([0, "Nothing would change.\n"]);
  });

  it("stops at anything else, and names it", () => {
    const { status, stderr } = run("only-images-change", [], fixture("preview-grant.json"));
    expect([status, stderr]).toEqual([
      1,
      "More than images and tags would change; nothing is published:\n" +
        "  create gcp:artifactregistry/repositoryIamMember:RepositoryIamMember ci-writer\n" +
        "Infrastructure is applied by a maintainer: pulumi up --stack production. Then run this again.\n",
    ]);
  });

  test.each([
    ["preview-failed.json", /^The preview failed; nothing is published\.\nerror: 1 problem/],
    [undefined, /^The preview failed; nothing is published\.\nPulumi printed no preview\n$/],
  ])("stops at a preview that failed: %s", (name, message) => {
    const { status, stderr } = run("only-images-change", [], name === undefined ? "" : fixture(name));
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});

group("the comment on a pull request", () => {
  it("tells infrastructure from images", () => {
    const changes = [...preview("preview-grant.json").changes, ...preview("preview-release.json").changes];
    const comment = previewComment({ changes, errors: [], warnings: [] }, "");
    expect(comment).toContain("### What this changes in production\n\n**Infrastructure**");
    expect(comment).toContain(
      "- `create gcp:artifactregistry/repositoryIamMember:RepositoryIamMember ci-writer`\n",
    );
    expect(comment).toContain("<summary>Images and tags: 21 changes, published on merge</summary>");
  });

  it("says that nothing changes", () => {
    expect(previewComment({ changes: [], errors: [], warnings: [] }, "")).toBe(
      "### What this changes in production\n\nNo infrastructure changes.\n\nImages and tags stay as they are.\n",
    );
  });

  it("shows why a preview failed, also when Pulumi said it on stderr only", () => {
    expect(previewComment(preview("preview-failed.json"), "")).toContain("```text\nerror: 1 problem;");
    expect(previewComment(readPreview(""), "error: no stack named 'production' found\n")).toContain(
      "```text\nPulumi printed no preview\n\nerror: no stack named 'production' found\n```\n",
    );
  });

  it("cannot be broken out of by what a build prints", () => {
    const hostile = "```\n@everyone <script>";
    expect(previewComment({ changes: [], errors: [hostile], warnings: [] }, "")).toContain(
      `\`\`\`\`text\n${hostile}\n\`\`\`\`\n`,
    );
    const change = { operation: "create", type: "docker:x", name: "a`b", properties: [] };
    expect(previewComment({ changes: [change], errors: [], warnings: [] }, "")).toContain(
      "- `` create docker:x a`b ``\n",
    );
  });

  it("is no longer than GitHub takes", () => {
    expect(
      previewComment({ changes: [], errors: ["x".repeat(100_000)], warnings: [] }, "").length,
    ).toBeLessThan(65_536);
  });

  it("comes from the files of the workflow", () => {
    const file = path.join(import.meta.dirname, "fixtures/preview-grant.json");
    expect(run("preview-comment", [file, "/dev/null"]).stdout).toContain("ci-writer");
  });
});

group("drift", () => {
  const none: Preview = { changes: [], errors: [], warnings: [] };

  it("leaves aside what only the local engine has not", () => {
    expect(preview("refresh-clean.json").changes).toHaveLength(3);
    expect(driftReport(preview("refresh-clean.json"), preview("preview-release.json"))).toBe("");
  });

  it("tells what was changed outside the stack", () => {
    const report = driftReport(preview("refresh-drift.json"), none);
    expect(report).toContain("**Changed outside the stack**");
    expect(report).toContain(
      "- `update gcp:artifactregistry/repository:Repository registry (description)`\n",
    );
    expect(report).not.toContain("RemoteImage");
  });

  it("tells a tag that is gone from the registry", () => {
    const gone = {
      operation: "delete",
      type: "docker:index/registryImage:RegistryImage",
      name: "ui-1.4.2",
      properties: [],
    };
    expect(driftReport({ changes: [gone], errors: [], warnings: [] }, none)).toContain("ui-1.4.2");
  });

  it("tells what was never applied", () => {
    const report = driftReport(none, preview("preview-grant.json"));
    expect(report).toContain("**In the program and not applied**");
    expect(report).toContain("ci-writer");
  });

  it("tells that somebody else's binding makes it public, and no other warning", () => {
    const open = `${PUBLIC_ANYWAY}: allUsers has roles/artifactregistry.reader`;
    const diagnostics = [open, "no credentials for the registry"].map((message) => ({
      severity: "warning",
      message: `${message}\n`,
    }));
    const report = driftReport(none, readPreview(JSON.stringify({ diagnostics })));
    expect(report).toBe(`**Public by somebody else's binding**:\n\n- \`${open}\`\n`);
  });

  it("prints the report, and fails when a preview did", () => {
    const file = (name: string): string => path.join(import.meta.dirname, "fixtures", name);
    const drift = run("drift-report", [file("refresh-drift.json"), file("preview-release.json")]);
    expect([drift.status, drift.stdout.includes("(description)")]).toEqual([0, true]);
    const failed = run("drift-report", [file("refresh-clean.json"), file("preview-failed.json")]);
    expect([failed.status, failed.stdout]).toEqual([1, ""]);
    expect(failed.stderr).toMatch(/^Whether there is drift is unknown:\nerror: 1 problem/);
  });
});

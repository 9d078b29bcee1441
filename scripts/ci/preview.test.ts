import { describe as group, expect, it, test } from "vitest";
import { describe, readPreview, type Preview } from "./preview.ts";
import { PUBLIC_ANYWAY } from "../../components/access/public-grants.ts";
import { driftReport, previewComment, type Previewed } from "./reports.ts";
import { type Ended, useShell } from "../../test/support/shell.ts";

const NOTHING: Preview = { changes: [], errors: [], warnings: [], notes: [] };

/** A step of Pulumi 3.259, without the properties of the resource. */
const step = (op: string, type: string, name: string, changed?: string) => ({
  op,
  urn: `urn:pulumi:sandbox::hyperion-registry::hyperion:registry:Parent$${type}::${name}`,
  oldState: op === "create" ? null : { type },
  newState: op === "delete" ? null : { type },
  detailedDiff: changed === undefined ? null : { [changed]: { kind: "update", inputDiff: false } },
});

const diagnostic = (severity: string, message: string) => ({ severity, message: `${message}\n` });

const STACK = "pulumi:pulumi:Stack";
const MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember";
const IMAGE = "docker:index/image:Image";

/** Output of `pulumi preview --json` and `pulumi refresh --preview-only --json`. */
const OUTPUTS = {
  grant: { steps: [step("same", STACK, "stack"), step("create", MEMBER, "ci-writer")] },
  release: {
    steps: ["arm64", "amd64"].map((platform) =>
      step("update", IMAGE, `hyperion-ui-${platform}`, "build.contextDigest"),
    ),
    diagnostics: [
      diagnostic(
        "info",
        ["mcp", "bridge", "ui"]
          .map((name) => `${name}: 3.0.0, 3 -> a new build; latest: 1.4.4 -> 3.0.0`)
          .join("\n"),
      ),
    ],
  },
  drift: {
    steps: [
      step("refresh", STACK, "stack"),
      step("update", "gcp:artifactregistry/repository:Repository", "registry", "description"),
    ],
  },
  failed: {
    steps: [step("same", STACK, "stack")],
    diagnostics: [
      diagnostic(
        "error",
        'error: 1 problem; nothing was changed.\n\nhyperion-registry:version\n  found:   "v1"',
      ),
    ],
  },
};
const output = (name: keyof typeof OUTPUTS): string => JSON.stringify(OUTPUTS[name]);
const preview = (name: keyof typeof OUTPUTS): Preview => readPreview(output(name));

const shell = useShell();

const run = (subcommand: string, args: string[]): Ended =>
  shell.run("scripts/ci/main.ts", [subcommand, ...args]);

group("readPreview", () => {
  it("reads the changes, and no unchanged resource", () => {
    const grant = { operation: "create", type: MEMBER, name: "ci-writer", properties: [] };
    expect(preview("grant")).toEqual({ ...NOTHING, changes: [grant] });
  });

  it("reads the messages of the program", () => {
    const { changes, notes } = preview("release");
    expect(changes.map(describe)).toContain(
      "update docker:index/image:Image hyperion-ui-amd64 (build.contextDigest)",
    );
    expect(notes).toContain("ui: 3.0.0, 3 -> a new build; latest: 1.4.4 -> 3.0.0");
  });

  it("reads the differences that a refresh finds, with their properties", () => {
    expect(preview("drift").changes.map(describe)).toContain(
      "update gcp:artifactregistry/repository:Repository registry (description)",
    );
  });

  it("reads errors", () => {
    expect(preview("failed").errors[0]).toMatch(/^error: 1 problem; nothing was changed\./);
  });

  test.each(["", "error: no stack named 'production' found", "[]", "null"])(
    "knows %j as no preview",
    (text) => {
      expect(readPreview(text)).toEqual({ ...NOTHING, errors: ["Pulumi printed no preview"] });
    },
  );
});

group("the comment on a pull request", () => {
  const none: Previewed = { preview: NOTHING, stderr: "" };
  const of = (name: keyof typeof OUTPUTS): Previewed => ({ ...none, preview: preview(name) });
  const failed = (...errors: string[]): Previewed => ({ ...none, preview: { ...NOTHING, errors } });

  it("separates infrastructure from images, and leaves out changes to Pulumi's state", () => {
    const registry = of("grant");
    const outputs = { operation: "update", type: "pulumi:pulumi:Stack", name: "stack", properties: [] };
    registry.preview.changes.push(outputs);
    const comment = previewComment(registry, of("release"));
    expect(comment).toMatch(
      /^### What this changes in production\n\n\*\*Infrastructure\*\*, to be applied by a/,
    );
    expect(comment).toContain(
      "- `create gcp:artifactregistry/repositoryIamMember:RepositoryIamMember ci-writer`\n",
    );
    expect(comment).toContain("<summary>Images and tags: 5 changes, published on merge</summary>");
    expect(comment).toContain("- `ui: 3.0.0, 3 -> a new build; latest: 1.4.4 -> 3.0.0`\n");
    expect(comment).not.toContain("pulumi:pulumi:Stack");
  });

  it("reports that nothing changes", () => {
    expect(previewComment(none, none)).toBe(
      "### What this changes in production\n\nNo infrastructure changes.\n\nImages and tags stay as they are.\n",
    );
  });

  it("shows the error of one preview and the changes of the other", () => {
    const images = { ...failed("error: 1 problem"), stderr: "step 3 of the Dockerfile\n" };
    const comment = previewComment(of("grant"), images);
    expect(comment).toContain("RepositoryIamMember ci-writer`\n");
    expect(comment).toContain(
      "The preview of the images failed: this cannot be published.\n\n" +
        "```text\nerror: 1 problem\n\nstep 3 of the Dockerfile\n```\n",
    );
    expect(previewComment(of("failed"), none)).toContain(
      "The preview of the infrastructure failed.\n\n```text\nerror: 1 problem;",
    );
  });

  it("shows errors that are only on stderr", () => {
    const registry = { preview: readPreview(""), stderr: "error: no stack named 'production' found\n" };
    expect(previewComment(registry, none)).toContain(
      "```text\nPulumi printed no preview\n\nerror: no stack named 'production' found\n```\n",
    );
  });

  it("keeps the output of a build within its code block", () => {
    const hostile = "```\n@everyone <script>";
    expect(previewComment(none, failed(hostile))).toContain(`\`\`\`\`text\n${hostile}\n\`\`\`\`\n`);
    const change = { operation: "create", type: "docker:x", name: "a`b", properties: [] };
    const images = { ...none, preview: { ...NOTHING, changes: [change] } };
    expect(previewComment(none, images)).toContain("- `` create docker:x a`b ``\n");
  });

  it("is not longer than GitHub allows", () => {
    expect(previewComment(failed("x".repeat(100_000)), none).length).toBeLessThan(65_536);
  });

  it("reads the files of both stacks", () => {
    for (const name of ["grant", "release"] as const) {
      shell.write(`${name}.json`, output(name));
      shell.write(`${name}.err`, "");
    }
    const { stdout } = run("preview-comment", ["grant", "release"]);
    expect(stdout).toContain("ci-writer");
    expect(stdout).toContain("Images and tags: 5 changes");
  });
});

group("drift", () => {
  it("reports changes outside of the stack", () => {
    const report = driftReport(preview("drift"), NOTHING);
    expect(report).toContain("**Changed outside the stack**");
    expect(report).toContain(
      "- `update gcp:artifactregistry/repository:Repository registry (description)`\n",
    );
  });

  it("reports unapplied changes", () => {
    const report = driftReport(NOTHING, preview("grant"));
    expect(report).toContain("**Not applied yet**");
    expect(report).toContain("ci-writer");
  });

  it("reports a public binding outside of the stack, and no other warning", () => {
    const open = `${PUBLIC_ANYWAY}: allUsers has roles/artifactregistry.reader`;
    const diagnostics = [open, "no credentials for the registry"].map((message) =>
      diagnostic("warning", message),
    );
    const report = driftReport(NOTHING, readPreview(JSON.stringify({ diagnostics })));
    expect(report).toBe(`**Public by a binding that the stack did not make**:\n\n- \`${open}\`\n`);
  });

  it("prints the report, and fails if a preview failed", () => {
    const file = (name: keyof typeof OUTPUTS): string => shell.write(`${name}.json`, output(name));
    const drift = run("drift-report", [file("drift"), file("grant")]);
    expect(drift.status).toBe(0);
    expect(drift.stdout).toContain("(description)");
    expect(drift.stdout).toContain("ci-writer");
    const failed = run("drift-report", [file("drift"), file("failed")]);
    expect([failed.status, failed.stdout]).toEqual([1, ""]);
    expect(failed.stderr).toMatch(/^Whether there is drift is unknown:\nerror: 1 problem/);
  });
});

import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { describe, expect, it, test } from "vitest";
import { parse } from "yaml";

interface Step {
  name?: string;
  id?: string;
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, string | number | boolean>;
}

interface Job {
  if?: string;
  needs?: string | string[];
  environment?: string;
  env?: Record<string, string>;
  permissions?: Record<string, string>;
  "timeout-minutes"?: number;
  steps: Step[];
}

interface Workflow {
  on: Record<string, unknown>;
  permissions: unknown;
  env?: Record<string, string>;
  defaults: { run: { shell: string } };
  concurrency: { group: string; "cancel-in-progress": unknown };
  jobs: Record<string, Job>;
}

interface Action {
  inputs: Record<string, { required?: boolean }>;
  runs: { using: string; steps: (Step & { shell?: string })[] };
}

const root = path.resolve(import.meta.dirname, "../..");
const folder = path.join(root, ".github/workflows");
const files = readdirSync(folder);
const text = (file: string): string => readFileSync(path.join(folder, file), "utf8");
const actions = readdirSync(path.join(root, ".github/actions")).map(
  (name) => `../actions/${name}/action.yml`,
);
const action = (name: string): Action => parse(text(`../actions/${name}/action.yml`)) as Action;
const workflow = (file: string): Workflow => parse(text(file)) as Workflow;
const jobs = files.flatMap((file) =>
  Object.entries(workflow(file).jobs).map(([name, job]) => ({ file, name, job })),
);
const job = (file: string, name: string): Job => {
  const found = jobs.find((one) => one.file === file && one.name === name);
  if (found === undefined) throw new Error(`${file} has no job ${name}`);
  return found.job;
};

it("has the four workflows", () => {
  expect(files.sort()).toEqual(["check.yml", "drift.yml", "preview.yml", "publish.yml"]);
});

describe.each(files)("%s", (file) => {
  it("uses no secret, and no trigger that gives its permissions to a fork", () => {
    expect(text(file)).not.toMatch(/secrets\.|pull_request_target|workflow_run/);
  });

  it("grants no permissions by default", () => {
    expect(workflow(file).permissions).toEqual({});
  });

  it("loads only plugins that the installer verified, if it runs Pulumi", () => {
    if (text(file).includes("./.github/actions/stack"))
      expect(workflow(file).env).toMatchObject({ PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" });
  });

  it("stops at the first failing command of a pipe", () => {
    expect(workflow(file).defaults.run.shell).toBe("bash");
  });

  it("reads only variables that docs/CI.md explains", () => {
    const docs = readFileSync(path.join(root, "docs/CI.md"), "utf8");
    for (const [, variable = ""] of text(file).matchAll(/vars\.(\w+)/g)) {
      expect(docs).toMatch(new RegExp(`gh variable set ${variable} |\`${variable}\``));
    }
  });
});

describe.each([...files, ...actions])("%s", (file) => {
  it("pins each action to one hash, with the version in a comment", () => {
    const usesOf = (one: string): string[] => text(one).match(/uses: [^.].*/g) ?? [];
    for (const line of usesOf(file)) expect(line).toMatch(/^uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const everywhere = new Set([...files, ...actions].flatMap(usesOf));
    expect(new Set([...everywhere].map((line) => line.replace(/@.*/, ""))).size).toBe(everywhere.size);
  });

  it("calls only scripts that exist", () => {
    for (const [, script = ""] of text(file).matchAll(/(scripts\/[\w-]+\.\w+)/g)) {
      expect(existsSync(path.join(root, script)), script).toBe(true);
    }
    const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
      scripts: object;
    };
    for (const [, script = ""] of text(file).matchAll(/npm run ([\w:-]+)/g))
      expect(scripts).toHaveProperty(script);
  });

  it("uses only local actions that exist", () => {
    for (const [, name = ""] of text(file).matchAll(/uses: \.\/(\S+)/g))
      expect(existsSync(path.join(root, name, "action.yml")), name).toBe(true);
  });
});

describe.each(jobs.map(({ file, name, job }) => [`${file} ${name}`, job] as const))("%s", (_, one) => {
  it("declares its permissions and a timeout", () => {
    expect(one.permissions).toBeDefined();
    expect(one["timeout-minutes"]).toBeGreaterThan(0);
  });

  it("leaves no token in the checkout", () => {
    for (const { uses, with: options } of one.steps) {
      if (uses?.startsWith("actions/checkout@"))
        expect(options).toMatchObject({ "persist-credentials": false });
    }
  });

  it("keeps its logic in scripts/ci, and uses github-script only to write to GitHub", () => {
    for (const { run, uses } of one.steps) {
      expect(run ?? "").not.toMatch(/(^|[;&|]\s*)(if|for|while|case|function|trap)\b|\|\|/m);
      if (uses?.startsWith("actions/github-script@"))
        expect(Object.entries(one.permissions ?? {})).toEqual([[expect.any(String), "write"]]);
    }
  });

  it("puts no expression into a script", () => {
    for (const { run, with: options } of one.steps) {
      expect(`${run ?? ""}${options?.["script"]?.toString() ?? ""}`).not.toContain("${{");
    }
  });

  it("does not both run the repository's code and write to GitHub", () => {
    const writes = Object.entries(one.permissions ?? {}).filter(
      ([name, access]) => access === "write" && name !== "id-token",
    );
    const checksOut = one.steps.some(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checksOut && writes.length > 0).toBe(false);
  });
});

describe("service accounts", () => {
  test.each([
    ["preview.yml", "preview", "PREVIEW_SERVICE_ACCOUNT"],
    ["publish.yml", "publish", "CI_SERVICE_ACCOUNT"],
    ["drift.yml", "look", "DRIFT_SERVICE_ACCOUNT"],
    ["drift.yml", "look-at-images", "PREVIEW_SERVICE_ACCOUNT"],
  ])("%s %s uses %s", (file, name, account) => {
    const { steps } = job(file, name);
    const used = steps
      .map(({ uses }) => uses?.replace(/@.*/, ""))
      // It passes the results to other jobs.
      .filter((uses) => uses !== undefined && uses !== "actions/upload-artifact");
    // All other actions run before the job has credentials.
    expect([used[0], used.at(-1)]).toEqual(["actions/checkout", "./.github/actions/stack"]);
    expect(steps.find(({ uses }) => uses === "./.github/actions/stack")?.with).toEqual({
      "workload-identity-provider": "${{ vars.WORKLOAD_IDENTITY_PROVIDER }}",
      "service-account": `\${{ vars.${account} }}`,
      // A published build uses no cache of another run.
      ...(file === "publish.yml" && { cache: "false" }),
    });
    expect(job(file, name).permissions).toEqual({
      contents: "read",
      "id-token": "write",
      // It looks up the attestations of earlier builds.
      ...(file === "publish.yml" && { attestations: "read" }),
    });
  });

  it("verifies the Pulumi CLI before it has credentials, and logs in only as the given service account", () => {
    const { steps } = action("stack").runs;
    const at = (what: string): number =>
      steps.findIndex(({ uses, run }) => `${uses ?? ""}${run ?? ""}`.startsWith(what));
    expect(at("sigstore/cosign-installer@")).toBeGreaterThan(at("./.github/actions/packages"));
    expect(at("scripts/install-pulumi.sh")).toBeGreaterThan(at("sigstore/cosign-installer@"));
    expect(at("google-github-actions/auth@")).toBeGreaterThan(at("scripts/install-pulumi.sh"));
    expect(steps[at("google-github-actions/auth@")]?.with).toEqual({
      workload_identity_provider: "${{ inputs.workload-identity-provider }}",
      service_account: "${{ inputs.service-account }}",
    });
    // The npm package would download an unverified CLI.
    for (const file of files) expect(text(file)).not.toMatch(/npx pulumi/);
  });

  it("puts no expression into a script of an action", () => {
    for (const name of ["packages", "stack"])
      for (const { run } of action(name).runs.steps) expect(run ?? "").not.toContain("${{");
  });

  it("gives checks, which also run for forks, only the sources", () => {
    for (const name of ["check", "sandbox"])
      expect(job("check.yml", name).permissions).toEqual({ contents: "read" });
  });

  it("builds the sources of another repository if a variable names it", () => {
    for (const [file, name] of [
      ["preview.yml", "preview"],
      ["publish.yml", "publish"],
    ] as const) {
      const checkout = job(file, name).steps.find(({ with: options }) => options?.["path"] === "sources");
      expect(checkout?.with).toMatchObject({
        repository: "${{ vars.SOURCES_REPOSITORY }}",
        ref: "${{ vars.SOURCES_REF }}",
      });
      expect(job(file, name).env).toHaveProperty("SOURCES_FOLDER");
    }
  });

  it("previews only pull requests from this repository", () => {
    expect(job("preview.yml", "preview").if).toContain(
      "github.event.pull_request.head.repo.full_name == github.repository",
    );
  });
});

describe("publish.yml", () => {
  const { concurrency, on } = workflow("publish.yml");
  const { steps, environment } = job("publish.yml", "publish");

  it("runs on main and on version tags, in the protected environment", () => {
    expect(on["push"]).toEqual({ branches: ["main"], tags: ["v*"] });
    expect(environment).toBe("production");
  });

  it("never cancels a release: each ref has its own concurrency group", () => {
    expect(concurrency).toEqual({ group: "publish-${{ github.ref }}", "cancel-in-progress": false });
  });

  it("uses only the state of the images, and retries while it is locked", () => {
    expect(job("publish.yml", "publish").env).toMatchObject({
      PULUMI_BACKEND_URL: "${{ vars.PULUMI_IMAGES_BACKEND_URL }}",
    });
    const commands = steps.flatMap(({ run }) => run ?? []);
    for (const run of commands) expect(run).not.toMatch(/--stack production(?!-images)/);
    expect(commands).toContainEqual(
      expect.stringMatching(/^scripts\/retry-when-locked\.sh scripts\/publish-ref\.sh --stack /),
    );
  });
});

describe("jobs of publish.yml that write to GitHub", () => {
  test.each([
    ["provenance", { "id-token": "write", attestations: "write" }],
    ["sbom", { "id-token": "write", attestations: "write" }],
    ["release", { contents: "write" }],
  ])("%s has no other permissions, and runs no code of the repository", (name, permissions) => {
    const { permissions: own, environment, steps } = job("publish.yml", name);
    expect(own).toEqual(permissions);
    // Without the environment, Google does not accept the token of the job.
    expect(environment).toBeUndefined();
    expect(steps.map(({ uses, run }) => uses ?? run).join("\n")).not.toMatch(/checkout|node |npm |scripts\//);
  });

  it("pushes no attestation to the registry", () => {
    expect(text("publish.yml")).not.toContain("push-to-registry");
  });
});

it("updates packages, actions and base images", () => {
  const file = readFileSync(path.join(root, ".github/dependabot.yml"), "utf8");
  const { updates } = parse(file) as { updates: { "package-ecosystem": string }[] };
  const ecosystems = updates.map((update) => update["package-ecosystem"]);
  expect(ecosystems).toEqual(["npm", "github-actions", "docker", "docker-compose"]);
});

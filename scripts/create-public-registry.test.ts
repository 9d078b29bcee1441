import { beforeEach, describe, expect, it, test } from "vitest";
import { type Ended, root, useShell } from "../test/support/shell.ts";

const script = "scripts/create-public-registry.sh";
const publicAccess = "hyperion-registry:publicAccess";
const override = "hyperion-registry:overrideDomainRestrictedSharing";

/** A fake Pulumi that keeps the stack's settings in files. ANSWERS names the steps that fail. */
const pulumi = `
record "$@"
case "$1 $2" in
  "whoami "*) has logged-out && { echo "error: PULUMI_ACCESS_TOKEN must be set for login" >&2; exit 1; }; echo me ;;
  "stack --show-name")
    has no-stack && { echo "error: no stack named '$4' found" >&2; exit 6; }
    has bad-state && { echo "error: passphrase must be set" >&2; exit 1; }
    echo "$4" ;;
  "stack init") has no-init && { echo "error: permission denied" >&2; exit 1; }; exit 0 ;;
  "stack output")
    has no-output && { echo "error: cannot read the state" >&2; exit 1; }
    if [ "$3" = registryUrl ]; then echo registry.example/p/r; elif has others-binding; then echo true; else echo false; fi ;;
  "config get") cat "$HOME/$3" 2>/dev/null || echo false ;;
  "config set") echo "$4" >"$HOME/$3" ;;
  "config rm") rm -f "$HOME/$3" ;;
  "preview "*)
    has slow-preview && { echo begun; sleep 30; }
    has bad-preview && { echo "error: the organization policy refuses allUsers" >&2; exit 1; }
    echo "+ 1 to create" ;;
  "up "*) has bad-up && { echo "error: FAILED_PRECONDITION" >&2; exit 1; }; echo "+ 1 created" ;;
esac`;

const shell = useShell();

beforeEach(() => {
  shell.fake("pulumi", pulumi);
  shell.environment["HYPERION_PULUMI"] = shell.path("bin/pulumi");
  shell.fake("gcloud", 'record "$@"; ! has expired');
  registryAnswers(200);
});

/** Sets the registry's answer to requests without a login. */
function registryAnswers(status: number): void {
  const fetch = encodeURIComponent(
    `globalThis.fetch = async () => new Response(null, { status: ${status} })`,
  );
  shell.environment["NODE_OPTIONS"] = `--import data:text/javascript,${fetch}`;
}

function run(input: string, ...args: string[]): Ended {
  return shell.run(script, args, input);
}

function settings(): Record<string, string> {
  const entries = [publicAccess, override].map((key) => [key, shell.read(key).trim()] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

const steps = (): string[] =>
  shell.calls().filter((call) => /^pulumi (config (set|rm)|preview|up)/.test(call));
const preview = "pulumi preview --suppress-outputs --stack production";
const up = "pulumi up --suppress-outputs --stack production --yes --skip-preview";
const set = (key: string, value: string): string =>
  `pulumi config set ${key} ${value} --type bool --stack production --non-interactive`;
const rm = (key: string): string => `pulumi config rm ${key} --stack production --non-interactive`;

describe("the normal course", () => {
  it("sets, shows the preview, asks, applies", () => {
    const { status, stdout } = run("y\n");
    expect(status).toBe(0);
    expect(steps()).toEqual([set(publicAccess, "true"), preview, up]);
    expect(stdout).toContain(
      "Make the registry public? Everyone can then pull all of its images, at your cost. [y/N]",
    );
    expect(settings()).toEqual({ [publicAccess]: "true" });
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("A pull without a login succeeds: registry.example/p/r");
  });

  it("lifts the policy of another stack, and fails if a pull without a login is still refused", () => {
    registryAnswers(403);
    const { status, stdout, stderr } = run(
      "",
      ...["--yes", "--wait", "0", "--override-policy", "--stack", "sandbox"],
    );
    expect(status).toBe(1);
    expect(stdout).toContain("A pull without a login is refused: registry.example/p/r");
    expect(stderr).toBe(`run it again: ${root}/${script} --stack sandbox\n`);
    const expected = [set(publicAccess, "true"), set(override, "true"), preview, up];
    expect(steps()).toEqual(expected.map((step) => step.replace("--stack production", "--stack sandbox")));
  });

  it("reverts both settings", () => {
    shell.write(publicAccess, "true\n");
    shell.write(override, "true\n");
    registryAnswers(403);
    const { status, stdout } = run("yes\n", "--revert");
    expect(status).toBe(0);
    expect(stdout).toContain("Make the registry private? Pulls without a login are then refused. [y/N]");
    expect(steps()).toEqual([set(publicAccess, "false"), set(override, "false"), preview, up]);
    expect(stdout).toContain("A pull without a login is refused: registry.example/p/r");
  });

  test.each<[string, string, string[]]>([
    ["M3: another binding keeps it open", "others-binding", []],
    ["a registry stays open for longer than it may", "", ["--wait", "0"]],
  ])("says that it is still public if %s", (_, answers, options) => {
    shell.environment["ANSWERS"] = answers;
    const { status, stdout, stderr } = run("", "--revert", "--yes", ...options);
    expect(status).toBe(1);
    expect(stdout).toContain("A pull without a login succeeds: registry.example/p/r");
    expect(stderr).toContain("run the command in the warning.\n");
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      `still public: run it again: ${root}/${script} --revert`,
    );
  });

  it("makes a stack that does not exist yet, and leaves settings alone that have the wanted value", () => {
    shell.environment["ANSWERS"] = "no-stack";
    shell.write(publicAccess, "true\n");
    const { status, stdout } = run("", "--yes");
    expect(status).toBe(0);
    expect(stdout).toContain("There is no stack production in this state yet; making an empty one");
    expect(shell.calls()).toContain("pulumi stack init production --no-select");
    expect(steps()).toEqual([preview, up]);
  });

  it("prints its options with --help", () => {
    const { status, stdout } = run("", "--help");
    expect(status).toBe(0);
    for (const option of ["--override-policy", "--revert", "--wait", "--stack", "--yes", "--help"]) {
      expect(stdout).toContain(`  ${option}`);
    }
    expect(shell.calls()).toEqual([]);
  });
});

describe("problems before the start", () => {
  const stack = "pulumi stack --show-name";
  test.each<[string, string[], ...string[]]>([
    [
      "",
      ["--nonsense", "--wait", "5m", "--revert", "--override-policy", "--stack"],
      "unknown option --nonsense; see --help",
      "--stack takes a value; see --help",
    ],
    [
      "",
      ["--wait", "5m", "--revert", "--override-policy"],
      "--wait takes a number of seconds, not '5m'",
      "--revert removes the exception from the policy, so it does not go with --override-policy",
    ],
    ["bad-state", [], "the stack production cannot be read: error: passphrase must be set"],
    [
      "no-stack",
      ["--revert"],
      "there is no stack production in this state, so nothing is public: npm run pulumi -- stack ls",
    ],
    [
      "no-stack",
      ["--stack", "prod"],
      "there is no stack prod, and no Pulumi.prod.yaml to make it from: --stack NAME",
    ],
    ["no-stack no-init", [], "the stack production could not be made, for the reason above"],
  ])("%s %j", (answers, args, ...messages) => {
    shell.environment["ANSWERS"] = answers;
    const { status, stderr } = run("y\n", ...args);
    expect(stderr.slice(stderr.indexOf("Nothing"))).toBe(
      `Nothing was started:\n${messages.map((message) => `  - ${message}\n`).join("")}`,
    );
    expect(status).toBe(2);
    expect(steps()).toEqual([]);
  });

  it("both logins at once, before it reads the stack", () => {
    shell.environment["ANSWERS"] = "logged-out expired";
    const { status, stderr } = run("y\n");
    expect(stderr).toBe(
      "Nothing was started:\n" +
        "  - not logged in to the stack's state: npm run pulumi -- login gs://BUCKET (pulumi says: error: PULUMI_ACCESS_TOKEN must be set for login)\n" +
        "  - not logged in at Google, or the login has expired: gcloud auth application-default login\n",
    );
    expect(status).toBe(2);
    expect(steps()).toEqual([]);
    expect(shell.calls().join("\n")).not.toContain(stack);
  });

  it("no gcloud, unless Pulumi has another login", () => {
    shell.without("gcloud");
    expect(run("").stderr).toContain("gcloud is not installed, and there is no other login at Google");
    shell.environment["GOOGLE_OAUTH_ACCESS_TOKEN"] = "token";
    expect(run("n\n").stdout).toContain("[y/N]");
    delete shell.environment["GOOGLE_OAUTH_ACCESS_TOKEN"];
    shell.write(".config/gcloud/application_default_credentials.json", "{}");
    expect(run("n\n").stdout).toContain("[y/N]");
  });
});

describe("restores the settings", () => {
  const unchanged = "The settings are as they were; nothing was changed.\n";

  test.each(["n\n", "\n", "", "maybe\n"])("when the answer is %j", (answer) => {
    shell.write(override, "true\n");
    const { status, stderr } = run(answer);
    expect(status).toBe(1);
    expect(stderr).toBe(unchanged);
    expect(settings()).toEqual({ [override]: "true" });
    expect(steps()).toEqual([set(publicAccess, "true"), preview, rm(publicAccess)]);
  });

  it("to true, when a revert is declined", () => {
    shell.write(publicAccess, "true\n");
    shell.write(override, "true\n");
    expect(run("n\n", "--revert").status).toBe(1);
    expect(settings()).toEqual({ [publicAccess]: "true", [override]: "true" });
  });

  it("if the preview fails, and names the option that lifts the policy", () => {
    shell.environment["ANSWERS"] = "bad-preview";
    const { status, stderr } = run("y\n");
    expect(status).toBe(1);
    expect(stderr).toContain(
      `The preview failed.\nIf the organization policy is the reason: ${root}/${script} --override-policy\n${unchanged}`,
    );
    expect(settings()).toEqual({});
    expect(run("y\n", "--override-policy").stderr).not.toContain("--override-policy");
    expect(settings()).toEqual({});
  });

  test.each(["SIGINT", "SIGTERM"] as const)("on %s at the question", async (signal) => {
    const { child, prints, ended } = shell.start(script, ["--override-policy"]);
    await prints("[y/N]");
    child.kill(signal);
    expect((await ended).status).toBe(130);
    expect(settings()).toEqual({});
    expect(steps()).not.toContain(up);
  });

  it("on Ctrl-C during the preview, which Pulumi gets too", async () => {
    shell.environment["ANSWERS"] = "slow-preview";
    const { child, prints, ended } = shell.start(script);
    await prints("begun");
    process.kill(-(child.pid ?? 0), "SIGINT");
    await ended;
    expect(settings()).toEqual({});
  });
});

it("keeps the settings if the update fails, and names the command that continues", () => {
  shell.environment["ANSWERS"] = "bad-up";
  const { status, stderr } = run("", "--yes");
  expect(status).toBe(1);
  expect(stderr).toContain("Not everything was applied. The settings stay.\n");
  expect(stderr).toContain(`To go back: ${root}/${script} --revert\n`);
  expect(stderr.trimEnd().split("\n").at(-1)).toBe(
    `run it again when it is fixed, or a changed policy has spread (minutes): ${root}/${script}`,
  );
  expect(settings()).toEqual({ [publicAccess]: "true" });
});

test.each([
  ["bad-preview", "run it again"],
  ["declined", "run it again"],
  ["no-output", "run it again"],
  ["bad-up", "run it again when it is fixed, or a changed policy has spread (minutes)"],
])("reports last that the registry is still public if a revert ends with: %s", (answers, next) => {
  shell.environment["ANSWERS"] = answers;
  shell.write(publicAccess, "true\n");
  const { status, stderr } = run(answers === "declined" ? "n\n" : "y\n", "--revert");
  expect(status).toBe(1);
  expect(stderr.trimEnd().split("\n").at(-1)).toBe(`still public: ${next}: ${root}/${script} --revert`);
});

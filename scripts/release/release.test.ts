import { beforeEach, expect, test } from "vitest";
import { catalogue } from "../../components/images/catalogue.ts";
import { fakeGoogle } from "../../test/support/fake-google.ts";
import { useShell } from "../../test/support/shell.ts";

/** Keeps the stack's settings in files, as Pulumi does in one; ANSWERS names what is to go wrong. */
const pulumi = `
record "$@"
cd "$TMPDIR/settings"
case "$1 $2" in
  "config --json")
    has no-stack && { echo "error: no stack named 's' found" >&2; exit 6; }
    printf '{ "gcp:project": {"value":"p"}, "gcp:region": {"value":"us-central1"}'
    printf ', "hyperion-registry:repositoryId": {"value":"r"}, "hyperion-registry:sourceDir": {"value":"%s"}' "$SOURCES"
    for file in hyperion-registry:*; do
      [ ! -e "$file" ] || printf ', "%s": {"value":"%s"}' "$file" "$(cat "$file")"
    done
    echo ' }' ;;
  "config set") printf %s "$4" >"$3" ;;
  "config rm") rm -f "$3" ;;
  "stack export") cat "$TMPDIR/state.json" ;;
  "preview "*)
    grep -H . * >"$TMPDIR/previewed" || :
    has slow-preview && { echo slow; exec sleep 30; }
    has bad-preview && { echo "error: no" >&2; exit 1; }
    echo "+ 1 to create" ;;
  "up "*) has bad-up && { echo "error: refused" >&2; exit 1; }; echo "+ 1 created" ;;
esac`;

const REPOSITORY = "projects/p/locations/us-central1/repositories/r";

const shell = useShell();

beforeEach(() => {
  shell.pass("git");
  shell.fake("pulumi", pulumi);
  shell.environment["HYPERION_PULUMI"] = shell.path("bin/pulumi");
  shell.write("settings/.keep", "");
  shell.write("sources/Dockerfile", "FROM scratch\n");
  const git = "git -c user.name=n -c user.email=e@example.com";
  shell.bash(`cd sources; git init --quiet; git add .; ${git} commit --quiet --message one`);
  Object.assign(shell.environment, {
    SOURCES: `${shell.folder}/sources`,
    GOOGLE_OAUTH_ACCESS_TOKEN: "token",
  });
});

/** Answers as a registry in which every image has these tags. */
async function published(...tags: string[]): Promise<void> {
  const uri = (name: string): string => `us-central1-docker.pkg.dev/p/r/${name}@sha256:${name}`;
  const dockerImages = catalogue.images.map(({ name }) => ({
    uri: uri(name),
    tags,
    uploadTime: "2026-11-24T12:00:00Z",
  }));
  await fakeGoogle({
    [`GET /${REPOSITORY}`]: { status: 200, body: { registryUri: "us-central1-docker.pkg.dev/p/r" } },
    [`GET /${REPOSITORY}:getIamPolicy`]: { status: 200 },
    [`GET /${REPOSITORY}/dockerImages?pageSize=1000&pageToken=`]: { status: 200, body: { dockerImages } },
  });
  const variable = "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT";
  shell.environment[variable] = process.env[variable];
}

interface Outcome {
  status: number | null;
  output: string;
}

/** `npm run release -- ARGS`, with an answer to its question, or with a signal once it has printed something. */
async function run(
  args: string[],
  { answer = "", interruptAt }: { answer?: string; interruptAt?: string } = {},
): Promise<Outcome> {
  const { child, prints, ended } = shell.start("scripts/release/main.ts", args);
  if (interruptAt === undefined) child.stdin.end(answer);
  else {
    await prints(interruptAt);
    // As a terminal does it: to all that runs in it.
    process.kill(-(child.pid ?? 0), "SIGINT");
  }
  const { status, stdout, stderr } = await ended;
  return { status, output: stdout + stderr };
}

function settings(): Record<string, string> {
  const names = ["version", "rollback", "revision"];
  const entries = names.map((name) => [name, shell.read(`settings/hyperion-registry:${name}`)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

const steps = (): string[] => shell.calls().filter((call) => /^pulumi (preview|up)/.test(call));
const PREVIEW = "pulumi preview --stack production-images";
const UP = "pulumi up --yes --skip-preview --stack production-images";

test("a new version is shown, asked for, published, and stays in the stack's file alone", async () => {
  await published("1.4.1", "v1.4.1");
  const { status, output } = await run(["1.4.2"], { answer: "y\n" });
  expect(output).toContain("Publish 1.4.2 on the stack production-images? [y/N]");
  expect(output).toContain(
    'Commit what says so: git commit --message "Release 1.4.2" Pulumi.production-images.yaml',
  );
  expect(status).toBe(0);
  expect(steps()).toEqual([PREVIEW, UP]);
  expect(settings()).toEqual({ version: "1.4.2" });
});

test("a rollback says so to pulumi, for this run alone, and needs no clean sources", async () => {
  await published("1.4.2", "v1.4.2");
  shell.write("sources/Dockerfile", "FROM scratch\n# changed\n");
  const { status, output } = await run(["1.4.2", "--rollback", "--yes", "--stack", "s"]);
  expect(output).toContain('git commit --message "Go back to 1.4.2" Pulumi.s.yaml');
  expect(status).toBe(0);
  expect(shell.read("previewed")).toContain("hyperion-registry:rollback:true");
  expect(settings()).toEqual({ version: "1.4.2" });
});

test.each<[string, string, string[], string, string[]]>([
  ["no as the answer", "", ["1.4.2"], "n\n", [PREVIEW]],
  ["no answer", "", ["1.4.2"], "", [PREVIEW]],
  ["a preview that fails", "bad-preview", ["1.4.2", "--yes"], "", [PREVIEW]],
  ["a preview that fails of a rollback", "bad-preview", ["1.4.1", "--yes", "--rollback"], "", [PREVIEW]],
])("%s leaves the settings as they were", async (_, answers, args, answer, expected) => {
  await published("1.4.1", "v1.4.1");
  shell.environment["ANSWERS"] = answers;
  shell.write("settings/hyperion-registry:version", "1.4.0");
  const { status, output } = await run(args, { answer });
  expect(output).toContain("The settings are as they were; nothing was published.");
  expect(output).toContain(`To try again: npm run release -- ${args[0] ?? ""}`);
  expect(status).toBe(1);
  expect(steps()).toEqual(expected);
  expect(settings()).toEqual({ version: "1.4.0" });
});

test("a dry run shows the preview, and asks and leaves nothing", async () => {
  await published();
  const { status, output } = await run(["1.4.2", "--dry-run"]);
  expect(output).toBe("+ 1 to create\n");
  expect(status).toBe(0);
  expect(shell.read("previewed")).toContain("hyperion-registry:version:1.4.2");
  expect(settings()).toEqual({});
});

test("an up that fails leaves the version, which may be published in part, and nothing else", async () => {
  await published("1.4.2", "v1.4.2");
  shell.environment["ANSWERS"] = "bad-up";
  const { status, output } = await run(["1.4.2", "--rollback", "--yes"]);
  expect(status).toBe(1);
  expect(output).toContain("To try again: npm run release -- 1.4.2 --rollback");
  expect(settings()).toEqual({ version: "1.4.2" });
});

test.each([
  ["at the preview", "slow-preview", "slow"],
  ["at the question", "", "[y/N]"],
])("Ctrl-C %s leaves the settings as they were", async (_, answers, interruptAt) => {
  await published("1.4.2", "v1.4.2");
  shell.environment["ANSWERS"] = answers;
  const { status, output } = await run(["1.4.2", "--rollback"], { interruptAt });
  expect(output).toContain("The settings are as they were; nothing was published.");
  expect(status).toBe(1);
  expect(steps()).toEqual([PREVIEW]);
  expect(settings()).toEqual({});
});

test("everything that keeps it from being begun is told at once, and nothing is begun", async () => {
  await published("1.4.2", "v1.4.2", "latest");
  shell.write("sources/Dockerfile", "FROM scratch\n# changed\n");
  shell.write("settings/hyperion-registry:revision", "abc");
  shell.write("settings/hyperion-registry:rollback", "true");
  shell.write("settings/hyperion-registry:publishImages", "false");
  const { status, output } = await run(["1.4.2", "--yes", "--stack", "production"]);
  expect(output).toContain("5 problems; nothing was changed.");
  for (const fix of [
    "pulumi config rm hyperion-registry:revision --stack production",
    "pulumi config rm hyperion-registry:rollback --stack production",
    "npm run release -- 1.4.2   # on production-images",
    `git -C ${shell.folder}/sources commit --all`,
    "npm run release -- 1.4.3   # or, to go back to it: npm run release -- 1.4.2 --rollback",
  ])
    expect(output).toContain(`fix:     ${fix}`);
  expect(status).toBe(2);
  expect(steps()).toEqual([]);
  expect(settings()).toEqual({ revision: "abc", rollback: "true" });
});

test.each<[string, string[], string[], string, string]>([
  ["a version that is none", [], ["v1.4.2"], "", "write 1.4.2, without v"],
  ["a rollback to what is not published", [], ["1.4.2", "--rollback"], "", "there is nothing to go back to"],
  ["a stack that is not there", [], ["1.4.2"], "no-stack", "cannot be read: error: no stack named 's' found"],
])("%s is refused", async (_, tags, args, answers, message) => {
  await published(...tags);
  shell.environment["ANSWERS"] = answers;
  const { status, output } = await run([...args, "--yes"]);
  expect(output).toContain(message);
  expect(status).toBe(2);
  expect(steps()).toEqual([]);
});

test("nothing runs on a state of images alone that holds more", async () => {
  await published();
  shell.write("settings/hyperion-registry:manageRegistry", "false");
  const resource = {
    urn: "urn:pulumi:s::hyperion-registry::evil:index:Thing::planted",
    type: "evil:index:Thing",
  };
  for (const [resources, message, status] of [
    [[resource], `run nothing on it:\n  ${resource.urn}: a evil:index:Thing`, 2],
    [[], "is published.", 0],
  ] as const) {
    shell.write("state.json", JSON.stringify({ deployment: { resources } }));
    const ended = await run(["1.4.2", "--yes"]);
    expect(ended.output).toContain(message);
    expect(ended.status).toBe(status);
  }
  expect(steps()).toEqual([PREVIEW, UP]);
});

test("a version that a run began and did not finish is finished", async () => {
  await published("build-1.4.2", "1.4.2");
  expect(await run(["1.4.2", "--yes"])).toMatchObject({ status: 0 });
  expect(steps()).toEqual([PREVIEW, UP]);
});

test("sources that git does not know are no sources of a release", async () => {
  await published();
  shell.environment["SOURCES"] = shell.folder;
  const { status, output } = await run(["1.4.2"]);
  expect(output).toContain(
    `${shell.folder}\n  found:   nothing that git can look at (fatal: not a git repository`,
  );
  expect(status).toBe(2);
});

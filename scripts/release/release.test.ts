import { Readable } from "node:stream";
import { beforeEach, expect, test, vi } from "vitest";
import { catalogue } from "../../components/images/catalogue.ts";
import { type Answers, fakeGoogle, type KeptTags, keptTags } from "../../test/support/fake-google.ts";
import { FakeRegistry, REGISTRY_URL } from "../../test/support/fake-registry.ts";
import { useShell } from "../../test/support/shell.ts";
import { newVersionProblems, overwriteProblems } from "./checks.ts";
import { overwrite, publish, type ReleaseRequest, rollBackTo } from "./release.ts";
import { StackFile } from "./stack-file.ts";

/** Copies the stack's file at each preview and up. ANSWERS names the steps that fail. */
const pulumi = `
record "$@"
for stack; do :; done
cp "$HYPERION_PROJECT_DIR/Pulumi.$stack.yaml" "$TMPDIR/at-$1.yaml" 2>/dev/null || :
case "$1" in
  stack) cat "$TMPDIR/state.json" ;;
  preview)
    has slow-preview && { echo slow; exec sleep 30; }
    ! has bad-preview ;;
  up) ! has bad-up ;;
esac`;

const REPOSITORY = "projects/production-471918/locations/us-central1/repositories/hyperion-public";
const names = catalogue.images.map(({ name }) => name);
const VERSION = "hyperion-registry:version";

/** A stack's file in a hand-written style. */
const written = (sources = shell.path("sources")): string => `# Ours.
config:
    'gcp:project': production-471918
    gcp:region:   "us-central1"   # Iowa

    hyperion-registry:sourceDir: ${sources}
`;

const shell = useShell();
let file = "";

beforeEach(() => {
  shell.pass("git");
  shell.fake("pulumi", pulumi);
  shell.write(
    "project/Pulumi.yaml",
    `name: hyperion-registry
config:
  repositoryId: { type: string, default: hyperion-public }
  publishImages: { type: boolean, default: true }
  manageRegistry: { type: boolean, default: true }
`,
  );
  file = shell.write("project/Pulumi.production-images.yaml", written());
  shell.write("sources/Dockerfile", "FROM scratch\n");
  commitIn("sources");
  Object.assign(shell.environment, {
    GOOGLE_OAUTH_ACCESS_TOKEN: "token",
    HYPERION_PROJECT_DIR: shell.path("project"),
    HYPERION_PULUMI: shell.path("bin/pulumi"),
  });
});

function commitIn(folder: string): void {
  const git = "git -c user.name=n -c user.email=e@example.com";
  shell.bash(`cd ${folder}; git init --quiet --template=; git add .; ${git} commit --quiet --message one`);
}

/** A registry in which every image has these versions, each with its own digest; the floating tags are on the last one. */
async function published(versions: readonly string[], floating: readonly string[] = []): Promise<KeptTags> {
  const tags = Object.fromEntries(
    names.map((name) => {
      const on = (tag: string, version: string) => [tag, `sha256:${name}-${version}`] as const;
      return [
        name,
        Object.fromEntries([
          ...versions.flatMap((version) =>
            [version, `v${version}`, `build-${version}`].map((tag) => on(tag, version)),
          ),
          ...floating.map((tag) => on(tag, versions.at(-1) ?? "")),
        ]),
      ];
    }),
  );
  await answer(keptTags(tags, REPOSITORY));
  return tags;
}

async function answer(answers: Answers): Promise<void> {
  await fakeGoogle(answers);
  const variable = "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT";
  shell.environment[variable] = process.env[variable];
}

interface Outcome {
  status: number | null;
  output: string;
}

/** `npm run release -- ARGS`, with an answer to its question, or with Ctrl-C once it has printed a text. */
async function run(
  args: string[],
  { answer = "", interruptAt }: { answer?: string; interruptAt?: string } = {},
): Promise<Outcome> {
  const { child, prints, ended } = shell.start("scripts/release/main.ts", args);
  if (interruptAt === undefined) child.stdin.end(answer);
  else {
    await prints(interruptAt);
    // A terminal sends it to the whole process group.
    process.kill(-(child.pid ?? 0), "SIGINT");
  }
  const { status, stdout, stderr } = await ended;
  return { status, output: stdout + stderr };
}

const begin = vi.fn();

/** The same in this process: without a question, or with an answer. */
async function perform(
  action: typeof publish,
  version: string,
  { answer, ...more }: Partial<ReleaseRequest> & { answer?: string } = {},
) {
  shell.enter();
  begin.mockClear();
  const { stdin } = process;
  vi.spyOn(process, "stdin", "get").mockReturnValue(
    Object.assign(Readable.from([answer ?? ""]), { fd: stdin.fd }) as typeof stdin,
  );
  const printed: string[] = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  // The question.
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const release = {
    ...{
      version,
      dryRun: false,
      yes: answer === undefined,
      root: shell.folder,
      defaultStack: "production-images",
      begin,
    },
    ...more,
  };
  const outcome = await action(release, new StackFile(shell.path("project"), "production-images"));
  return { outcome, output: printed.join("\n") };
}

const steps = (): string[] => shell.calls().filter((call) => /^pulumi (preview|up)/.test(call));
const PREVIEW = "pulumi preview --suppress-outputs --stack production-images";
const UP = "pulumi up --yes --skip-preview --suppress-outputs --stack production-images";

test("a release shows the preview, asks, publishes, and leaves the version in the stack's file", async () => {
  await published(["1.4.1"]);
  commitIn("project");
  const { status, output } = await run(["1.4.2"], { answer: "y\n" });
  expect(output).toContain("Publish 1.4.2 on the stack production-images? [y/N]");
  expect(output).toContain(
    '1.4.2 is published. Commit the stack\'s file: git commit --message "Release 1.4.2" Pulumi.production-images.yaml',
  );
  expect(status).toBe(0);
  expect(steps()).toEqual([PREVIEW, UP]);
  expect(shell.read("at-preview.yaml")).toContain(`${VERSION}: 1.4.2\n`);
  expect(shell.read(file)).toBe(shell.read("at-up.yaml"));
  expect(shell.read(file)).toContain("# Iowa");
});

test.each<[string, typeof publish, string, string, string[]]>([
  ["no answer", publish, "1.4.2", "", [PREVIEW]],
  ["no as the answer to a release", publish, "1.4.2", "n\n", [PREVIEW]],
  ["an answer that does not name the version to overwrite", overwrite, "1.4.1", "y\n", [PREVIEW]],
  ["no as the answer to a rollback", rollBackTo, "1.4.0", "n\n", []],
])("%s leaves the stack's file as it was, byte for byte", async (_, action, version, answer, expected) => {
  const tags = await published(["1.4.0", "1.4.1"]);
  const before = structuredClone(tags);
  expect((await perform(action, version, { answer })).outcome).toBe("declined");
  expect(begin).not.toHaveBeenCalled();
  expect(steps()).toEqual(expected);
  expect(shell.read(file)).toBe(written());
  expect(tags).toEqual(before);
});

test.each<[string, string, typeof publish, string, string[]]>([
  ["a preview that fails", "bad-preview", publish, "1.4.2", [PREVIEW]],
  ["an up that fails, of an overwrite", "bad-up", overwrite, "1.4.1", [PREVIEW, UP]],
])("%s leaves the stack's file as it was", async (_, answers, action, version, expected) => {
  const tags = await published(["1.4.0", "1.4.1"]);
  const before = structuredClone(tags);
  shell.environment["ANSWERS"] = answers;
  expect((await perform(action, version)).outcome).toBe("failed");
  expect(steps()).toEqual(expected);
  expect(shell.read(file)).toBe(written());
  expect(tags).toEqual(before);
});

test.each<[string, typeof publish, string, string[], string]>([
  ["a release", publish, "1.4.2", [PREVIEW], ""],
  ["an overwrite", overwrite, "1.4.1", [PREVIEW], "Then 1.4.1 moves to these builds, for everyone"],
  ["a rollback", rollBackTo, "1.4.0", [], `${names[0] ?? ""}: 1.4: 1.4.1 -> 1.4.0`],
])("a dry run of %s only shows what would change", async (_, action, version, expected, shown) => {
  const tags = await published(["1.4.0", "1.4.1"], ["1.4"]);
  const before = structuredClone(tags);
  const { outcome, output } = await perform(action, version, { dryRun: true, answer: "y\n" });
  expect(output).toContain(shown);
  expect(outcome).toBe("only shown");
  expect(steps()).toEqual(expected);
  expect(shell.read(file)).toBe(written());
  expect(tags).toEqual(before);
});

test("a dry run ends with 0", async () => {
  await published(["1.4.0", "1.4.1"], ["1.4"]);
  const { status, output } = await run(["1.4.0", "--rollback", "--dry-run"]);
  expect([status, output]).toEqual([0, expect.stringContaining("1.4: 1.4.1 -> 1.4.0")]);
});

test("a failed up leaves the version, which can be published in part", async () => {
  await published([]);
  shell.environment["ANSWERS"] = "bad-up";
  expect((await perform(publish, "1.4.2")).outcome).toBe("failed");
  expect(begin).toHaveBeenCalledOnce();
  expect(shell.read(file)).toContain(`${VERSION}: 1.4.2\n`);
});

test.each([
  ["the preview", "slow-preview", ["1.4.1", "--overwrite"], "slow", [PREVIEW]],
  ["the question", "", ["1.4.0", "--rollback", "--line", "1"], "[y/N]", []],
])("Ctrl-C at %s leaves the stack's file as it was", async (_, answers, args, interruptAt, expected) => {
  await published(["1.4.0", "1.4.1"]);
  shell.environment["ANSWERS"] = answers;
  const { status, output } = await run(args, { interruptAt });
  expect(output).toContain(`To try again: npm run release -- ${args.join(" ")} --stack production-images\n`);
  expect(status).toBe(1);
  expect(steps()).toEqual(expected);
  expect(shell.read(file)).toBe(written());
});

test("a rollback moves the floating tags, and needs no pulumi and no clean sources", async () => {
  const tags = await published(["1.4.1", "1.4.2", "1.5.0"], ["1.4", "1", "latest"]);
  shell.without("pulumi");
  shell.write("sources/Dockerfile", "FROM scratch\n# changed\n");
  const { outcome, output } = await perform(rollBackTo, "1.4.1", { line: "latest", answer: "y\n" });
  expect(output).toContain(`${names[0] ?? ""}: 1.4, 1, latest: 1.5.0 -> 1.4.1; withdrawn-1.4.2`);
  expect(outcome).toBe("done");
  for (const name of names) {
    const one = `sha256:${name}-1.4.1`;
    expect(tags[name]).toMatchObject({ "1.4": one, "1": one, latest: one });
    expect(Object.keys(tags[name] ?? {})).toEqual(
      expect.arrayContaining(["withdrawn-1.4.2", "withdrawn-1.5.0"]),
    );
  }
  expect(shell.read(file)).toContain(`${VERSION}: 1.4.1\n`);
});

test("an overwrite builds with an up that names no version, then moves the version to these builds", async () => {
  const tags = await published(["1.4.2"], ["1.4", "1", "latest"]);
  shell.write("project/Pulumi.production-images.yaml", `${written()}    ${VERSION}: 1.4.2\n`);
  const registry = new FakeRegistry();
  const digests = names.map((name) => registry.add(name, "application/vnd.oci.image.manifest.v1+json", {}));
  // The tag that the up sets.
  for (const [index, name] of names.entries()) Object.assign(tags[name] ?? {}, { build: digests[index] });
  const answers = keptTags(tags, REPOSITORY);
  await answer(
    new Proxy(answers, {
      get: (kept, what: string) =>
        what === `GET /${REPOSITORY}` ? { status: 200, body: { registryUri: REGISTRY_URL } } : kept[what],
    }),
  );
  const { outcome, output } = await perform(overwrite, "1.4.2");
  expect(outcome).toBe("done");
  expect(begin).toHaveBeenCalledOnce();
  expect(shell.read("at-up.yaml")).not.toContain(VERSION);
  expect(shell.read(file)).toContain(`${VERSION}: 1.4.2\n`);
  for (const [index, name] of names.entries())
    for (const tag of ["1.4.2", "v1.4.2", "build-1.4.2", "1.4", "1", "latest"])
      expect(tags[name]?.[tag]).toBe(digests[index]);
  expect(output).toContain(
    `${names[0] ?? ""}: 1.4.2, v1.4.2, 1.4, 1, latest: sha256:${names[0] ?? ""}-1.4.2 -> ${digests[0]?.slice(0, 19) ?? ""}`,
  );
});

test("all problems are reported at once, and nothing is started", async () => {
  await published(["1.4.2"]);
  shell.write("sources/Dockerfile", "FROM scratch\n# changed\n");
  const text = `${written()}    hyperion-registry:revision: abc\n    hyperion-registry:releaseDate: 2025-01-10\n    hyperion-registry:publishImages: false\n`;
  const other = shell.write("project/Pulumi.production.yaml", text);
  const { status, output } = await run(["1.4.2", "--yes", "--stack", "production"]);
  expect(output).toContain("5 problems; nothing was changed.");
  for (const fix of [
    "npm run pulumi -- config rm hyperion-registry:revision --stack production",
    "npm run pulumi -- config rm hyperion-registry:releaseDate --stack production",
    "npm run release -- 1.4.2   # on production-images",
    `git -C ${shell.path("sources")} commit --all`,
    "npm run release -- 1.4.3 --stack production   # or, to go back to it: npm run release -- 1.4.2 --rollback --stack production",
  ])
    expect(output).toContain(`fix:     ${fix}`);
  expect(status).toBe(2);
  expect(steps()).toEqual([]);
  expect(shell.read(other)).toBe(text);
});

test.each<[string[], string[]]>([
  [
    ["v1.4.2", "--rollback", "--overwrite", "--github-release", "--dry-run"],
    [
      "write 1.4.2, without v",
      "--rollback and --overwrite do not go together.",
      "--github-release and --dry-run do not go together.",
    ],
  ],
  [["1.5.0", "--line", "1"], ["--line goes with --rollback."]],
])("the options %j are refused", async (args, messages) => {
  const { status, output } = await run([...args, "--yes"]);
  for (const message of messages) expect(output).toContain(message);
  expect(status).toBe(2);
  expect(steps()).toEqual([]);
  expect(shell.read(file)).toBe(written());
});

test("a stack that does not exist is refused", () => {
  expect(() => new StackFile(shell.path("project"), "s")).toThrow("the stacks are production-images");
});

test("a rollback to an unpublished version is refused", async () => {
  await published(["1.4.2"]);
  await expect(perform(rollBackTo, "1.5.0")).rejects.toThrow("found:   a version that is not published");
  expect(begin).not.toHaveBeenCalled();
  expect(shell.read(file)).toBe(written());
});

test("without a login at GitHub, the command to make the release there names the stack", async () => {
  shell.fake("git", "echo https://github.com/o/n.git");
  shell.write("project/Pulumi.second.yaml", written());
  const { output } = await run(["1.4.2", "--github-release", "--stack", "second"]);
  expect(output).toMatch(
    /To make it: gh auth login && npm run release -- 1\.4\.2 --github-release --stack second$/m,
  );
});

const registryOf = (...tags: string[]) =>
  new Map([
    ["mcp", new Map(tags.map((tag) => [tag, "sha256:a"]))],
    ["ui", new Map([["build-1.4.2", "sha256:b"]])],
  ]);

test.each<[string[], release: string | undefined, overwrite: string | undefined]>([
  [[], undefined, undefined],
  [["1.4.2", "v1.4.2"], undefined, undefined],
  [["1.4.2", "v1.4.2", "withdrawn-1.4.2", "1.4.3"], "1.4.4", "1.4.4"],
])(
  "with the tags %j on one of two images, the fix for a release of 1.4.2 names %j, for an overwrite %j",
  (tags, ...next) => {
    const fixes = [newVersionProblems, overwriteProblems].map((problems) =>
      problems("1.4.2", registryOf(...tags)),
    );
    expect(fixes.map(([problem]) => problem?.fix)).toEqual(
      next.map((version) => version && `npm run release -- ${version}`),
    );
  },
);

test("an unpublished version is not overwritten", () => {
  expect(overwriteProblems("1.5.0", registryOf("1.4.2"))).toMatchObject([
    { found: "a version that is not published", fix: "npm run release -- 1.5.0" },
  ]);
});

test("nothing runs on the images' state if it holds anything else", async () => {
  await published([]);
  shell.write(
    "project/Pulumi.production-images.yaml",
    `${written()}    hyperion-registry:manageRegistry: false\n`,
  );
  const hold = (...resources: object[]): unknown =>
    shell.write("state.json", JSON.stringify({ deployment: { resources } }));
  const urn = "urn:pulumi:s::hyperion-registry::evil:index:Thing::planted";
  hold({ urn, type: "evil:index:Thing" });
  await expect(perform(publish, "1.4.2")).rejects.toThrow(`Run nothing on it:\n  ${urn}: a evil:index:Thing`);
  expect(begin).not.toHaveBeenCalled();
  expect(steps()).toEqual([]);
  hold();
  expect((await perform(publish, "1.4.2")).outcome).toBe("done");
  expect(steps()).toEqual([PREVIEW, UP]);
});

test("sources outside of git are refused", async () => {
  await published([]);
  shell.write("bare/Dockerfile");
  shell.write("project/Pulumi.production-images.yaml", written(shell.path("bare")));
  await expect(perform(publish, "1.4.2")).rejects.toThrow(
    `${shell.path("bare")}\n  found:   sources that git cannot read (fatal: `,
  );
  expect(begin).not.toHaveBeenCalled();
});

import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { copyProgram } from "../support/copy-program.ts";
import { nativePlatform } from "../support/native-build.ts";
import { failed, passed } from "../support/outcome.ts";
import { commitSources } from "../support/sandbox.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const UI = "hyperion-ui";
/** The architecture that the engine runs without emulation. */
const NATIVE = nativePlatform.replace("linux/", "");

const sandbox = useSandbox();

/** Creates a copy of the sandbox's Docker configuration with this change. */
async function dockerConfig(change: object): Promise<string> {
  const folder = await mkdtemp(join(sandbox.scratch, "config-"));
  const own = JSON.parse(
    await readFile(join(sandbox.env["DOCKER_CONFIG"] ?? "", "config.json"), "utf8"),
  ) as object;
  await writeFile(join(folder, "config.json"), JSON.stringify({ ...own, ...change }));
  return folder;
}

describe("a credential store without a login for the registry", () => {
  test("stops an up before any build", async () => {
    const bin = join(sandbox.scratch, "bin");
    await mkdir(bin);
    const helper =
      "#!/bin/sh\n[ $1 = list ] && echo '{}' && exit\necho 'credentials not found in native keychain'\nexit 1\n";
    await writeFile(join(bin, "docker-credential-desktop"), helper, { mode: 0o755 });
    const shell = {
      DOCKER_CONFIG: await dockerConfig({ credHelpers: {}, credsStore: "desktop" }),
      PATH: `${bin}:${sandbox.env["PATH"] ?? ""}`,
    };
    const message = `the credential helper docker-credential-desktop, which has no login for ${sandbox.registry.replace(/\/.*/, "")}`;
    const page = join(sandbox.sources, "coordinator/ui/src/index.html");
    const before = await readFile(page, "utf8");
    await appendFile(page, "<!-- changed -->\n");
    const id = async () =>
      (await sandbox.docker("image", "inspect", "-f", "{{.Id}}", `${sandbox.registry}/${UI}:build-${NATIVE}`))
        .stdout;
    const built = await id();
    expect(failed(await sandbox.with(shell).tryUp())).toContain(message);
    expect(await id()).toBe(built);
    await writeFile(page, before);
  });
});

describe("Hyperion's sources on a developer's machine", () => {
  test("are reported if untracked, with working fixes, and possible secrets stop a release", async () => {
    const write = async (file: string, text: string) => {
      const whole = join(sandbox.sources, file);
      await mkdir(dirname(whole), { recursive: true });
      await writeFile(whole, text);
    };
    for (const folder of ["coordinator", "coordinator/ui"])
      await rm(join(sandbox.sources, folder, ".dockerignore"));
    await write(".gitignore", "node_modules\n.env\n");
    const shell = async (command: string) =>
      passed(await sandbox.command("bash", ["-c", command], {}, { cwd: sandbox.sources }));
    await commitSources(sandbox.sources);
    await write("coordinator/ui/node_modules/react/index.js", "1\n");
    await write("coordinator/ui/.env", "VITE_NAME=1\n");
    await write("coordinator/mcp-server/report.html", "<p>\n");
    const preview = async () => sandbox.tryPulumi("preview", "--color", "never");
    const fixes = (output: string) => [...output.matchAll(/fix: +(printf .*)$/gm)].map(([, fix = ""]) => fix);

    const warned = passed(await preview());
    expect(warned).toContain("no ignore file, so the build of hyperion-http-bridge sees all files");
    expect(warned).toContain(
      "in the build of hyperion-coordinator-mcp, files that git does not track: report.html",
    );
    await sandbox.set({ version: "7.0.0" });
    const refused = failed(await preview());
    expect(refused).toMatch(
      /that look like secrets, in the build of hyperion-http-bridge: ui\/\.env \(environment file\)$/m,
    );
    expect(refused).toMatch(
      /that look like secrets, in the build of hyperion-ui: \.env \(environment file\)$/m,
    );

    for (const fix of fixes(warned)) await shell(`cd ${process.cwd()} && ${fix}`);
    await commitSources(sandbox.sources);
    expect(passed(await preview())).not.toContain("about the sources");
    await sandbox.unset("version");
  });
});

describe("buildCache: registry on a machine without a local cache", () => {
  const STEP = `RUN node -e "fs.writeFileSync('/evidence', crypto.randomUUID())"`;
  const SINGLE = `FROM hyperion-sandbox-base:24-$TARGETARCH\n${STEP}\nCOPY src /src\n`;
  const SEVERAL = `FROM hyperion-sandbox-base:24-$TARGETARCH AS build\n${STEP}\nCOPY src /src\n\nFROM hyperion-sandbox-base:24-$TARGETARCH\nCOPY --from=build /evidence /src /\n`;

  let project: string[];

  beforeAll(async () => {
    const folder = join(sandbox.scratch, "program");
    await copyProgram(folder);
    await cp(join(sandbox.root, "project/Pulumi.sandbox.yaml"), join(folder, "Pulumi.sandbox.yaml"));
    project = ["--cwd", folder, "--stack", "sandbox"];
    await sandbox.set(
      { sourceDir: sandbox.sources, buildCache: "registry", "platforms[0]": `linux/${NATIVE}` },
      ...project,
    );
  });

  /** Sets or removes the cacheStage of the user interface in images.json. */
  async function cacheStage(stage: string | undefined): Promise<void> {
    const file = join(sandbox.scratch, "program/images.json");
    const images = JSON.parse(await readFile(file, "utf8")) as { name: string }[];
    await writeFile(
      file,
      JSON.stringify(images.map((one) => (one.name === UI ? { ...one, cacheStage: stage } : one))),
    );
  }

  /** Changes a file and runs `up`; returns the random value that the cached step wrote into the image. */
  async function rebuild(): Promise<string> {
    await appendFile(join(sandbox.sources, "coordinator/ui/src/index.html"), "<!-- changed -->\n");
    await sandbox.up(...project);
    const image = `${sandbox.registry}/${UI}:build-${NATIVE}`;
    const cat = ["run", "--rm", "--network", "none", "--entrypoint", "cat"];
    const { stdout } = await sandbox.docker(...cat, image, "/evidence");
    expect(stdout).toMatch(/^[0-9a-f-]{36}$/);
    return stdout;
  }

  /** Removes all builds from the engine, except the base image. */
  async function removeBuilds(): Promise<void> {
    passed(await sandbox.docker("builder", "prune", "--all", "--force"));
    const { stdout } = await sandbox.docker("image", "ls", "-q", `${sandbox.registry}/${UI}`);
    const ids = [...new Set(stdout.split("\n").filter((id) => id !== ""))];
    passed(await sandbox.docker("image", "rm", "--force", ...ids));
  }

  test.each<[what: string, dockerfile: string, stage: string | undefined, reused: boolean]>([
    ["of an image with one stage", SINGLE, undefined, true],
    ["only of the last stage, without cacheStage", SEVERAL, undefined, false],
    ["of the stage that cacheStage names", SEVERAL, "build", true],
  ])("reuses the unchanged steps %s", async (_, dockerfile, stage, reused) => {
    await cacheStage(stage);
    await writeFile(join(sandbox.sources, "coordinator/ui/Dockerfile"), dockerfile);
    const first = await rebuild();
    await removeBuilds();
    const second = await rebuild();
    expect(second === first).toBe(reused);
  });
});

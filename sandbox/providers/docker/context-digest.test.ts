import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contextDigest } from "./context-digest.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hyperion-context-"));
  await write("Dockerfile", "FROM scratch\n");
  await write("a.txt", "a");
  await write("sub/b.txt", "b");
});
afterEach(() => rm(folder, { recursive: true }));

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

const digest = (): Promise<string> => contextDigest(folder, join(folder, "Dockerfile"));

/** Whether the action changes the digest. */
async function changes(action: () => Promise<unknown>): Promise<boolean> {
  const before = await digest();
  await action();
  return (await digest()) !== before;
}

describe("contextDigest", () => {
  it("is 64 hexadecimal digits, and stable", async () => {
    expect(await digest()).toMatch(/^[0-9a-f]{64}$/);
    expect(await digest()).toBe(await digest());
  });

  it.each<[string, () => Promise<unknown>]>([
    ["a content", () => write("a.txt", "other")],
    ["a content of the same length", () => write("a.txt", "c")],
    ["a new file", () => write("new.txt", "")],
    ["a removed file", () => unlink(join(folder, "a.txt"))],
    ["a name", () => rename(join(folder, "a.txt"), join(folder, "c.txt"))],
    ["a folder's name", () => rename(join(folder, "sub"), join(folder, "other"))],
    ["a mode", () => chmod(join(folder, "a.txt"), 0o755)],
    ["the Dockerfile", () => write("Dockerfile", "FROM scratch\nLABEL a=b\n")],
    ["an ignore file that hides nothing", () => write(".dockerignore", "nothing\n")],
    ["a name with spaces and other letters", () => write("größe x/ü.txt", "x")],
    ["a link", () => symlink("a.txt", join(folder, "link"))],
  ])("depends on %s", async (_, action) => {
    expect(await changes(action)).toBe(true);
  });

  it("depends on a link's target path, not on the target's content", async () => {
    await symlink("/etc/hostname", join(folder, "link"));
    expect(await changes(() => Promise.resolve())).toBe(false);
    expect(
      await changes(async () => {
        await unlink(join(folder, "link"));
        await symlink("/nowhere", join(folder, "link"));
      }),
    ).toBe(true);
  });

  it("does not follow circular links", async () => {
    await symlink(".", join(folder, "circle"));
    expect(await digest()).toMatch(/^[0-9a-f]{64}$/);
  });

  it("does not depend on times", async () => {
    expect(await changes(() => utimes(join(folder, "a.txt"), 0, 0))).toBe(false);
  });

  it("does not depend on the order of files", async () => {
    for (const name of ["z", "y", "Z", "ä"]) await write(`many/${name}`, name);
    const one = await digest();
    await rm(join(folder, "many"), { recursive: true });
    for (const name of ["ä", "Z", "y", "z"]) await write(`many/${name}`, name);
    expect(await digest()).toBe(one);
  });

  it("distinguishes one file name with a line break from two", async () => {
    await write("x\nfile", "");
    const one = await digest();
    await unlink(join(folder, "x\nfile"));
    await write("x", "");
    expect(await digest()).not.toBe(one);
  });

  describe("with an ignore file", () => {
    beforeEach(async () => {
      await write(".dockerignore", "# comment\n*.log\nnode_modules\n!node_modules/keep/me.txt\n**/secret\n");
      await write("node_modules/x/index.js", "x");
    });

    it.each<[string, boolean]>([
      ["x.log", false],
      ["node_modules/x/index.js", false],
      ["node_modules/keep/me.txt", true],
      ["deep/er/secret", false],
      ["sub/x.log", true],
      ["x.txt", true],
    ])("a change of %s counts: %s", async (path, counts) => {
      expect(await changes(() => write(path, "changed"))).toBe(counts);
    });

    it("prefers the Dockerfile's ignore file", async () => {
      await write("Dockerfile.dockerignore", "a.txt\n");
      expect(await changes(() => write("a.txt", "changed"))).toBe(false);
      expect(await changes(() => write("x.log", "changed"))).toBe(true);
    });
  });

  it("accepts a Dockerfile outside the context", async () => {
    const inner = (): Promise<string> => contextDigest(join(folder, "sub"), join(folder, "Dockerfile"));
    const before = await inner();
    await write("a.txt", "not in the context");
    expect(await inner()).toBe(before);
    await write("Dockerfile", "FROM other\n");
    expect(await inner()).not.toBe(before);
  });

  it("streams a large file", async () => {
    await writeFile(join(folder, "large"), Buffer.alloc(64 * 1024 * 1024));
    const before = process.memoryUsage.rss();
    await digest();
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 * 1024 * 1024);
  });

  it("fails on a file that it cannot read", async () => {
    await expect(contextDigest(folder, join(folder, "missing"))).rejects.toThrow("ENOENT");
  });
});

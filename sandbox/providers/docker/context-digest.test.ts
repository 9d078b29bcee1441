import { chmod, rename, rm, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { useScratch } from "../../../test/support/scratch.ts";
import { contextDigest } from "./context-digest.ts";

const scratch = useScratch();

beforeEach(() => {
  write("Dockerfile", "FROM scratch\n");
  write("a.txt", "a");
  write("sub/b.txt", "b");
});

const write = (path: string, content: string): string => scratch.write(path, content);
const at = (path: string): string => scratch.path(path);
const digest = (): Promise<string> => contextDigest(scratch.folder, at("Dockerfile"));

/** Whether the action changes the digest. */
async function changes(action: () => unknown): Promise<boolean> {
  const before = await digest();
  await action();
  return (await digest()) !== before;
}

describe("contextDigest", () => {
  it("is 64 hexadecimal digits, and stable", async () => {
    expect(await digest()).toMatch(/^[0-9a-f]{64}$/);
    expect(await digest()).toBe(await digest());
  });

  it.each<[string, () => unknown]>([
    ["a content", () => write("a.txt", "other")],
    ["a content of the same length", () => write("a.txt", "c")],
    ["a new file", () => write("new.txt", "")],
    ["a removed file", () => unlink(at("a.txt"))],
    ["a name", () => rename(at("a.txt"), at("c.txt"))],
    ["a folder's name", () => rename(at("sub"), at("other"))],
    ["a mode", () => chmod(at("a.txt"), 0o755)],
    ["the Dockerfile", () => write("Dockerfile", "FROM scratch\nLABEL a=b\n")],
    ["an ignore file that hides nothing", () => write(".dockerignore", "nothing\n")],
    ["a name with spaces and other letters", () => write("größe x/ü.txt", "x")],
    ["a link", () => symlink("a.txt", at("link"))],
  ])("depends on %s", async (_, action) => {
    expect(await changes(action)).toBe(true);
  });

  it("depends on a link's target path, not on the target's content", async () => {
    await symlink("/etc/hostname", at("link"));
    expect(await changes(() => undefined)).toBe(false);
    expect(
      await changes(async () => {
        await unlink(at("link"));
        await symlink("/nowhere", at("link"));
      }),
    ).toBe(true);
  });

  it("does not follow circular links", async () => {
    await symlink(".", at("circle"));
    expect(await digest()).toMatch(/^[0-9a-f]{64}$/);
  });

  it("does not depend on times", async () => {
    expect(await changes(() => utimes(at("a.txt"), 0, 0))).toBe(false);
  });

  it("does not depend on the order of files", async () => {
    for (const name of ["z", "y", "Z", "ä"]) write(`many/${name}`, name);
    const one = await digest();
    await rm(at("many"), { recursive: true });
    for (const name of ["ä", "Z", "y", "z"]) write(`many/${name}`, name);
    expect(await digest()).toBe(one);
  });

  it("distinguishes one file name with a line break from two", async () => {
    write("x\nfile", "");
    const one = await digest();
    await unlink(at("x\nfile"));
    write("x", "");
    expect(await digest()).not.toBe(one);
  });

  describe("with an ignore file", () => {
    beforeEach(() => {
      write(".dockerignore", "# comment\n*.log\nnode_modules\n!node_modules/keep/me.txt\n**/secret\n");
      write("node_modules/x/index.js", "x");
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
      write("Dockerfile.dockerignore", "a.txt\n");
      expect(await changes(() => write("a.txt", "changed"))).toBe(false);
      expect(await changes(() => write("x.log", "changed"))).toBe(true);
    });
  });

  it("accepts a Dockerfile outside the context", async () => {
    const inner = (): Promise<string> => contextDigest(at("sub"), at("Dockerfile"));
    const before = await inner();
    write("a.txt", "not in the context");
    expect(await inner()).toBe(before);
    write("Dockerfile", "FROM other\n");
    expect(await inner()).not.toBe(before);
  });

  it("streams a large file", async () => {
    await writeFile(at("large"), Buffer.alloc(64 * 1024 * 1024));
    const before = process.memoryUsage.rss();
    await digest();
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 * 1024 * 1024);
  });

  it("fails on a file that it cannot read", async () => {
    await expect(contextDigest(scratch.folder, at("missing"))).rejects.toThrow("ENOENT");
  });
});

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach } from "vitest";

/** A folder of a test's own. Its path is short: a socket's holds a hundred bytes or so. */
export class Scratch {
  readonly folder = mkdtempSync(path.join(tmpdir(), "hyp-"));

  /** The path of a file, relative to the folder. */
  path(name: string): string {
    return path.resolve(this.folder, name);
  }

  /** Writes a file in the folder and gives its path. */
  write(name: string, text = "", mode = 0o644): string {
    const file = this.path(name);
    mkdirSync(path.dirname(file), { recursive: true });
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode });
    return file;
  }

  /** What a file in the folder holds; nothing where there is none. */
  read(name: string): string {
    const file = this.path(name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A folder for the tests of a file, a new one for each of them. */
export const useScratch = (): Scratch => useAnew(Scratch);

/** The same of any kind of folder. */
export function useAnew<T extends Scratch>(made: new () => T): T {
  const current = Object.create(made.prototype as object) as T;
  beforeEach(() => {
    Object.assign(current, new made());
  });
  afterEach(() => {
    current.remove();
  });
  return current;
}

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach } from "vitest";

/** A temporary folder of a test, with a short path because the length of sockets' paths is limited. */
export class Scratch {
  readonly folder = mkdtempSync(path.join(tmpdir(), "hyp-"));

  /** The path of a file, relative to the folder. */
  path(name: string): string {
    return path.resolve(this.folder, name);
  }

  /** Writes a file in the folder; returns its path. */
  write(name: string, text = "", mode = 0o644): string {
    const file = this.path(name);
    mkdirSync(path.dirname(file), { recursive: true });
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode });
    return file;
  }

  /** The content of a file in the folder; empty if it does not exist. */
  read(name: string): string {
    const file = this.path(name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A new folder for each test of a file. */
export const useScratch = (): Scratch => useNew(Scratch);

/** The same for any kind of folder. */
export function useNew<T extends Scratch>(made: new () => T): T {
  const current = Object.create(made.prototype as object) as T;
  beforeEach(() => {
    Object.assign(current, new made());
  });
  afterEach(() => {
    current.remove();
  });
  return current;
}

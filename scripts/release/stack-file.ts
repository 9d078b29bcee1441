import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";
import type { Problem } from "../../problems/problem.ts";
import { configRemove, settingKey } from "../../problems/setting-commands.ts";
import { ONE_TIME } from "../../settings/one-time.ts";
import { StackSettings } from "../../settings/stack-settings.ts";

/** The settings of a stack, read and written in its file, `Pulumi.<stack>.yaml`. */
export class StackFile {
  readonly stack: string;
  readonly file: string;
  readonly settings: StackSettings;
  readonly #before: string;

  /** @throws one line that names the stacks that exist if there is no such file. */
  constructor(projectFolder: string, stack: string) {
    this.stack = stack;
    this.file = path.join(projectFolder, `Pulumi.${stack}.yaml`);
    this.settings = new StackSettings(projectFolder, stack);
    this.#before = readFileSync(this.file, "utf8");
  }

  /** Settings for one run that are left in the file: they would be published too. */
  leftovers(): Problem[] {
    return Object.keys(ONE_TIME)
      .filter((name) => this.settings.sets(name) && this.settings.text(name) !== "")
      .map((name) => ({
        where: settingKey(name),
        found: JSON.stringify(this.settings.text(name)),
        allowed: "nothing in the stack's file: it is for one run",
        fix: `${configRemove(name)} --stack ${this.stack}`,
      }));
  }

  /** Writes the version to the file; undefined takes it out. */
  setVersion(version: string | undefined): void {
    const document = parseDocument(this.#before);
    const key = ["config", settingKey("version")];
    if (version === undefined) document.deleteIn(key);
    else document.setIn(key, version);
    writeFileSync(this.file, document.toString({ lineWidth: 0 }));
  }

  /** Puts the file back as it was read. */
  restore(): void {
    writeFileSync(this.file, this.#before);
  }
}

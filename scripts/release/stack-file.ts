import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";
import type { Problem } from "../../problems/problem.ts";
import { configRemove, settingKey } from "../../problems/setting-commands.ts";
import { ONE_TIME } from "../../settings/one-time.ts";
import { StackSettings } from "../../settings/stack-settings.ts";

/** The settings file of a stack, `Pulumi.<stack>.yaml`. */
export class StackFile {
  readonly stack: string;
  readonly file: string;
  readonly settings: StackSettings;
  readonly #before: string;

  /** @throws one line that names the existing stacks if there is no such file. */
  constructor(projectFolder: string, stack: string) {
    this.stack = stack;
    this.file = path.join(projectFolder, `Pulumi.${stack}.yaml`);
    this.settings = new StackSettings(projectFolder, stack);
    this.#before = readFileSync(this.file, "utf8");
  }

  /** Problems for settings for one run that an earlier run left in the file. */
  leftovers(): Problem[] {
    return Object.keys(ONE_TIME)
      .filter((name) => this.settings.sets(name) && this.settings.text(name) !== "")
      .map((name) => ({
        where: settingKey(name),
        found: JSON.stringify(this.settings.text(name)),
        allowed: "not in the stack's file: the setting is for one run",
        fix: configRemove(name),
      }));
  }

  /** Writes the version to the file; undefined removes it. */
  setVersion(version: string | undefined): void {
    const document = parseDocument(this.#before);
    const key = ["config", settingKey("version")];
    if (version === undefined) document.deleteIn(key);
    else document.setIn(key, version);
    writeFileSync(this.file, document.toString({ lineWidth: 0 }));
  }

  /** Writes back the original file. */
  restore(): void {
    writeFileSync(this.file, this.#before);
  }
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { PULUMI } from "../problems/setting-commands.ts";

type Settings = Partial<Record<string, unknown>>;

/**
 * Reads the settings of a stack from `Pulumi.<stack>.yaml` and the defaults of `Pulumi.yaml`, without Pulumi. Does not
 * validate them.
 */
export class StackSettings {
  private readonly stack: string;
  private readonly set: Settings;
  private readonly defaults: Settings;
  private readonly namespace: string;

  /** @throws if a file is missing or invalid. */
  constructor(projectFolder: string, stack: string) {
    this.stack = stack;
    const project = readYaml(path.join(projectFolder, "Pulumi.yaml"));
    this.namespace = String(project["name"]);
    this.defaults = section(project["config"]);
    const file = path.join(projectFolder, `Pulumi.${stack}.yaml`);
    if (!existsSync(file))
      throw new Error(`${file} does not exist; the stacks are ${stacks(projectFolder).join(", ")}`);
    this.set = section(readYaml(file)["config"]);
  }

  /**
   * Returns a setting of this project (`repositoryId`) or of a plugin (`gcp:region`).
   * @throws if neither file has it.
   */
  text(key: string): string {
    const value = this.find(key);
    if (value !== undefined) return value;
    throw new Error(`Pulumi.${this.stack}.yaml does not set ${key}: ${PULUMI} config set ${key} VALUE`);
  }

  /** Returns the same; undefined if neither file has it. */
  find(key: string): string | undefined {
    const value = this.set[key.includes(":") ? key : `${this.namespace}:${key}`] ?? this.fallback(key);
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  }

  /** Whether a setting of this project is on. */
  flag(name: string): boolean {
    return String(this.set[`${this.namespace}:${name}`] ?? this.fallback(name)) === "true";
  }

  /** Returns a setting of this project that is a list. */
  list(name: string): string[] {
    const value = this.set[`${this.namespace}:${name}`] ?? this.fallback(name);
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** Whether the stack's file has a setting of this project. */
  sets(name: string): boolean {
    return `${this.namespace}:${name}` in this.set;
  }

  private fallback(key: string): unknown {
    const declared = this.defaults[key] ?? this.defaults[`${this.namespace}:${key}`];
    return typeof declared === "object" && declared !== null && "default" in declared
      ? declared.default
      : undefined;
  }
}

/** The stacks with a file in the project's folder. */
function stacks(projectFolder: string): string[] {
  return readdirSync(projectFolder)
    .map((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .sort();
}

function readYaml(file: string): Settings {
  return section(parse(readFileSync(file, "utf8")));
}

function section(value: unknown): Settings {
  return typeof value === "object" && value !== null ? value : {};
}

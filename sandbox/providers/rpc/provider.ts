import type { Checked } from "./check.ts";
import type { Difference } from "./diff.ts";
import type { Failure } from "./shape.ts";
import type { Properties, Value } from "./values.ts";

/** How a resource handler speaks to the user, and hears that it should stop. */
export interface Context {
  /** Aborted when the plugin ends, and when the engine cancels where the plugin is one that then ends what it does. */
  signal: AbortSignal;
  /** A line beside the resource; `status` lines are replaced by the next one and not kept. */
  log: (severity: "debug" | "info" | "warning" | "error", message: string) => void;
  status: (message: string) => void;
}

/** A resource as the state holds it. */
export interface Recorded {
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** One resource type. Inputs that reach create and update are checked and fully known. */
export interface Resource {
  type: string;
  check(news: Properties): Promise<Checked> | Checked;
  diff(old: Recorded, inputs: Properties): Difference[];
  /** What a preview shows; {@link unknownValue} for what only the update can tell. */
  preview(inputs: Properties, old: Recorded | undefined, context: Context): Promise<Properties> | Properties;
  create(inputs: Properties, context: Context): Promise<{ id: string; outputs: Properties }>;
  /** What is there now; undefined when it is gone. `old` is undefined on import. */
  read(id: string, old: Omit<Recorded, "id"> | undefined, context: Context): Promise<Recorded | undefined>;
  update(old: Recorded, inputs: Properties, context: Context): Promise<Properties>;
  delete(old: Recorded, context: Context): Promise<void>;
}

/** A function of a plugin; the signal is that of {@link Context}. */
export type Call = (args: Properties, signal: AbortSignal) => Promise<Properties> | Properties;

/** What a plugin's main file hands to {@link serve}. */
export interface Provider {
  name: string;
  version: string;
  /** @param settings the provider's settings: each a string, as the engine sends them */
  configure(settings: Properties, context: Context): Promise<void> | void;
  /** Why the settings are refused; [] when they are fine. */
  checkSettings(settings: Properties): Failure[];
  resources: Resource[];
  functions: Record<string, Call>;
  /** Whether Ctrl-C ends what is under way; else it is finished. */
  endsOnCancel: boolean;
}

/** The resource exists, but what had to follow failed: the engine records it, so that it is not lost. */
export class CreatedButFailed extends Error {
  readonly id: string;
  readonly outputs: Properties;

  constructor(id: string, outputs: Properties, message: string) {
    super(message);
    this.id = id;
    this.outputs = outputs;
  }
}

/** A setting of the provider that may come as JSON, as the SDKs send all that is no string. */
export function setting(settings: Properties, name: string): Value | undefined {
  const value = settings[name];
  if (typeof value !== "string" || !/^(true|false|[[{"].*)$/s.test(value)) return value;
  return JSON.parse(value) as Value;
}

import type { Checked } from "./check.ts";
import type { Difference } from "./diff.ts";
import type { Failure } from "./shape.ts";
import type { Properties, Value } from "./values.ts";

export interface Context {
  /** Aborted when the plugin ends, and when the engine cancels if `endsOnCancel` is set. */
  signal: AbortSignal;
  /** Shows a line with the resource. */
  log: (severity: "info" | "warning", message: string) => void;
  /** Shows a line until the next one. */
  status: (message: string) => void;
}

/** A resource in the state. */
export interface Recorded {
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** A resource type. The inputs of create and update are checked and known. */
export interface Resource {
  type: string;
  check(news: Properties): Promise<Checked> | Checked;
  diff(old: Recorded, inputs: Properties): Difference[];
  /** The outputs in a preview; {@link unknownValue} for unknown ones. */
  preview(inputs: Properties, old: Recorded | undefined, context: Context): Promise<Properties> | Properties;
  create(inputs: Properties, context: Context): Promise<{ id: string; outputs: Properties }>;
  /** Undefined if the resource does not exist. `old` is undefined on an import. */
  read(id: string, old: Omit<Recorded, "id"> | undefined, context: Context): Promise<Recorded | undefined>;
  update(old: Recorded, inputs: Properties, context: Context): Promise<Properties>;
  delete(old: Recorded, context: Context): Promise<void>;
}

type Call = (args: Properties, signal: AbortSignal) => Promise<Properties> | Properties;

export interface Provider {
  name: string;
  version: string;
  /** @param settings strings, as the engine sends them. */
  configure(settings: Properties, context: Context): Promise<void> | void;
  /** The reasons to refuse settings. */
  checkSettings(settings: Properties): Failure[];
  resources: Resource[];
  functions: Record<string, Call>;
  /** Whether Ctrl-C aborts running calls. */
  endsOnCancel: boolean;
}

/** A step after a create failed. The engine records the resource. */
export class CreatedButFailed extends Error {
  readonly id: string;
  readonly outputs: Properties;

  constructor(id: string, outputs: Properties, message: string) {
    super(message);
    this.id = id;
    this.outputs = outputs;
  }
}

/** A setting of the provider. The SDKs send values other than strings as JSON. */
export function setting(settings: Properties, name: string): Value | undefined {
  const value = settings[name];
  if (typeof value !== "string" || !/^(true|false|[[{"].*)$/s.test(value)) return value;
  return JSON.parse(value) as Value;
}

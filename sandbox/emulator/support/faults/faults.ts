import { z } from "zod";
import { readText, writeWholeSync } from "../../../lib/files.ts";
import {
  type Fault,
  faultSchema,
  isRegistryFault,
  isRequestFault,
  type RegistryFault,
  type RequestFault,
} from "./fault.ts";

type Kind = RequestFault["kind"];

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^/?${source}$`).test(text);
}

function isAffected(
  fault: RequestFault | RegistryFault,
  method: string,
  path: string,
  template: string,
): boolean {
  if (fault.method !== "*" && fault.method !== method) return false;
  return matches(fault.route, path) || matches(fault.route, `/${template}`);
}

/** The active faults, in a file that survives a restart and can be edited by hand. */
export class Faults {
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** @throws if the file is damaged. */
  all(): Fault[] {
    return z.array(faultSchema).parse(JSON.parse(readText(this.file) ?? "[]"));
  }

  private write(faults: Fault[]): void {
    writeWholeSync(this.file, `${JSON.stringify(faults, undefined, 2)}\n`);
  }

  add(fault: Fault): void {
    this.write([...this.all(), fault]);
  }

  clear(): void {
    this.write([]);
  }

  /**
   * Takes the faults of this request, at most one of each kind, and counts them as used.
   *
   * @param template path of the request's route.
   */
  take(method: string, path: string, template: string): { [K in Kind]?: Extract<RequestFault, { kind: K }> } {
    const hit = this.takeMatching(isRequestFault, method, path, template);
    return Object.fromEntries(hit.map((fault) => [fault.kind, fault]));
  }

  /** The same for a request to the registry. */
  takeRegistry(method: string, path: string): RegistryFault | undefined {
    return this.takeMatching(isRegistryFault, method, path, path)[0];
  }

  private takeMatching<F extends RequestFault | RegistryFault>(
    belongs: (fault: Fault) => fault is F,
    method: string,
    path: string,
    template: string,
  ): F[] {
    const hit = new Map<string, F>();
    const left: Fault[] = [];
    let changed = false;
    for (const fault of this.all()) {
      if (!belongs(fault) || hit.has(fault.kind) || !isAffected(fault, method, path, template)) {
        left.push(fault);
        continue;
      }
      changed = true;
      if (fault.skip > 0) left.push({ ...fault, skip: fault.skip - 1 });
      else {
        hit.set(fault.kind, fault);
        if (fault.times !== 1) left.push({ ...fault, times: Math.max(0, fault.times - 1) });
      }
    }
    if (changed) this.write(left);
    return [...hit.values()];
  }

  private seconds(kind: "iam-spreading" | "clock-skew"): number {
    return this.all().reduce((sum, fault) => (fault.kind === kind ? sum + fault.seconds : sum), 0);
  }

  /** Seconds until a changed IAM policy takes effect. */
  iamSpreadingSeconds(): number {
    return this.seconds("iam-spreading");
  }

  /** Seconds that the clock is ahead; negative if it is behind. */
  clockSkewSeconds(): number {
    return this.seconds("clock-skew");
  }
}

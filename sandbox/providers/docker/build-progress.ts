/** Reads BuildKit's plain progress, and keeps output for error messages. */
export class BuildProgress {
  private readonly headlines = new Map<string, string>();
  private readonly output = new Map<string, string[]>();
  private readonly other: string[] = [];
  private failed: { step: string; reason: string } | undefined;

  /** @returns the headline if the line starts a step. */
  take(line: string): string | undefined {
    const [, step = "", rest = line] = /^#(\d+) (.*)$/.exec(line) ?? [];
    if (step === "") {
      if (line.trim() !== "") this.other.push(line);
      return undefined;
    }
    const headline = /^\[.*\]/.test(rest) && !this.headlines.has(step);
    if (headline) {
      this.headlines.set(step, rest);
      // Internal steps, such as loading the Dockerfile, are not shown.
      return rest.startsWith("[internal]") ? undefined : rest;
    }
    const error = /^ERROR:? (.*)$/.exec(rest)?.[1];
    // The last error ends the build; an earlier one can be a cache that does not exist.
    if (error !== undefined) this.failed = { step, reason: error };
    else if (!/^(DONE|CACHED|sha256:|transferring |extracting |naming to |writing image )/.test(rest)) {
      this.output.set(step, [...(this.output.get(step) ?? []), rest.replace(/^\d+\.\d+ /, "")].slice(-tail));
    }
    return undefined;
  }

  /** The last lines of the failed step's output. */
  failingOutput(): readonly string[] {
    return (this.failed && this.output.get(this.failed.step)) ?? [];
  }

  /** The builder's error, worded as in the real plugin: without the CLI's prefixes. */
  failure(): string {
    const last = this.other.findLast((line) => LAST_WORD.test(line));
    const reason = last?.replace(LAST_WORD, "") ?? this.failed?.reason ?? this.other.slice(-tail).join("\n");
    return CONNECTION_LOST.test(reason) ? "error parsing Docker output: unexpected EOF" : reason;
  }
}

const tail = 20;

/** Prefixes in the CLI's last line. */
const LAST_WORD =
  /^(error: |ERROR: )?failed to solve( with frontend [\w.]+)?: (failed to solve with frontend [\w.]+: |rpc error: code = \w+ desc = |failed to build LLB: )*/;

/** Messages of the CLI when the engine stops. */
const CONNECTION_LOST =
  /\bEOF$|error reading from server|connection (refused|reset)|transport is closing|daemon running/;

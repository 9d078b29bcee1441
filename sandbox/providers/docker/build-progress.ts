/** What a build says, kept for the case that it fails. Reads BuildKit's plain progress. */
export class BuildProgress {
  private readonly headlines = new Map<string, string>();
  private readonly output = new Map<string, string[]>();
  private readonly other: string[] = [];
  private failed: { step: string; reason: string } | undefined;

  /** @returns the headline when the line starts a step, for the terminal */
  take(line: string): string | undefined {
    const [, step = "", rest = line] = /^#(\d+) (.*)$/.exec(line) ?? [];
    if (step === "") {
      if (line.trim() !== "") this.other.push(line);
      return undefined;
    }
    const headline = /^\[.*\]/.test(rest) && !this.headlines.has(step);
    if (headline) {
      this.headlines.set(step, rest);
      // Loading the Dockerfile and its like say nothing about the user's build.
      return rest.startsWith("[internal]") ? undefined : rest;
    }
    const error = /^ERROR:? (.*)$/.exec(rest)?.[1];
    if (error !== undefined) this.failed ??= { step, reason: error };
    else if (!/^(DONE|CACHED|sha256:|transferring |extracting |naming to |writing image )/.test(rest)) {
      this.output.set(step, [...(this.output.get(step) ?? []), rest.replace(/^\d+\.\d+ /, "")].slice(-tail));
    }
    return undefined;
  }

  /** What the failing step said, the last lines of it. */
  failingOutput(): readonly string[] {
    return (this.failed && this.output.get(this.failed.step)) ?? [];
  }

  /** Why it failed, as the real plugin says it: without what the CLI puts around the builder's own words. */
  failure(): string {
    const last = this.other.findLast((line) => LAST_WORD.test(line));
    const reason = last?.replace(LAST_WORD, "") ?? this.failed?.reason ?? this.other.slice(-tail).join("\n");
    return CONNECTION_LOST.test(reason) ? "error parsing Docker output: unexpected EOF" : reason;
  }
}

/** Lines of a failing step that are worth showing. */
const tail = 20;

/** How the CLI begins its last line. */
const LAST_WORD =
  /^(error: |ERROR: )?failed to solve( with frontend [\w.]+)?: (failed to solve with frontend [\w.]+: |rpc error: code = \w+ desc = |failed to build LLB: )*/;

/** What it says when the engine goes away: Docker's output then ends where none does. */
const CONNECTION_LOST =
  /\bEOF$|error reading from server|connection (refused|reset)|transport is closing|daemon running/;

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

  /** What failed and the last lines before it. */
  failure(): string {
    if (this.failed === undefined) return this.other.slice(-tail).join("\n");
    const { step, reason } = this.failed;
    const lines = this.output.get(step) ?? [];
    return [
      `step ${this.headlines.get(step) ?? `#${step}`}`,
      ...lines.map((line) => `  ${line}`),
      reason,
    ].join("\n");
  }
}

/** Lines of a failing step that are worth showing. */
const tail = 20;

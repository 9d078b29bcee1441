/** A list of code spans. */
export function codeList(lines: readonly string[]): string {
  return lines.map((line) => `- ${codeSpan(line)}\n`).join("");
}

/** A block of text as it is, fenced by more backticks than it has itself. */
export function codeBlock(text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}text\n${text.trimEnd()}\n${fence}\n`;
}

/** A text as code within a line. */
export function codeSpan(text: string): string {
  const fence = "`".repeat(longestRun(text) + 1);
  return fence.length === 1 ? `\`${text}\`` : `${fence} ${text} ${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}

/** GitHub refuses a longer comment or issue (65536 characters); the rest is for what a caller adds. */
const most = 60_000;

/** A text of at most what GitHub takes in a comment. */
export function shortened(text: string): string {
  return text.length <= most
    ? text
    : `${text.slice(0, most)}\n\n… shortened; the workflow's log has the rest.\n`;
}

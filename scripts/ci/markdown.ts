/** A list of code spans. */
export function codeList(lines: readonly string[]): string {
  return lines.map((line) => `- ${codeSpan(line)}\n`).join("");
}

/** A code block. Its fence has more backticks than the text. */
export function codeBlock(text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}text\n${text.trimEnd()}\n${fence}\n`;
}

/** A code span. */
export function codeSpan(text: string): string {
  const fence = "`".repeat(longestRun(text) + 1);
  return fence.length === 1 ? `\`${text}\`` : `${fence} ${text} ${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}

/** GitHub refuses comments and issues over 65536 characters; callers add some text. */
const most = 60_000;

/** Cuts a text that is too long for a comment. */
export function shortened(text: string): string {
  return text.length <= most
    ? text
    : `${text.slice(0, most)}\n\n… shortened; the workflow's log has the rest.\n`;
}

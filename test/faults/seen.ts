import { expect } from "vitest";

/** The matching lines of a failed command's diagnostics, without values that differ from run to run. */
export function seenIn(output: string, ...patterns: RegExp[]): string {
  const lines = output.slice(Math.max(0, output.indexOf("Diagnostics:"))).split("\n");
  return patterns
    .map((pattern) => {
      const found = lines.find((line) => pattern.test(line));
      expect(found, `${String(pattern)} in ${output}`).toBeDefined();
      return `\`${withoutVariableValues(found ?? "")}\``;
    })
    .join("\n");
}

function withoutVariableValues(line: string): string {
  return line
    .replaceAll(/[^\s"'=]*\/hyp-[A-Za-z0-9]{6}\/(\d+\/)?(sources\/)?/g, "")
    .replaceAll(/\b(localhost|127\.0\.0\.1):\d+/g, "$1")
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "ID")
    .replaceAll(/_state=[^":\s]+/g, "_state=...")
    .replaceAll(/\b[0-9a-f]{12,}\b/g, "...")
    .trim();
}

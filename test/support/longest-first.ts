import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";

/**
 * The files that take longest, the longest first, as docs/PERFORMANCE.md has them: what is left for the end of a run is
 * short, and no core waits for long.
 */
export const LONGEST = [
  "test/sandbox/workflows.test.ts",
  "test/sandbox/compose.test.ts",
  "test/sandbox/workflows-reports.test.ts",
  "test/sandbox/documents.test.ts",
  "test/sandbox/scripts.test.ts",
  "test/sandbox/plugins.test.ts",
  "test/sandbox/troubleshooting/pulumi.test.ts",
  "test/sandbox/team-state.test.ts",
  "test/sandbox/permissions.test.ts",
  "test/sandbox/planted-state.test.ts",
  "test/sandbox/access.test.ts",
];

/** It ends its sandbox, and the next file has to make another. */
export const LAST = ["test/sandbox/cli.test.ts"];

/** Where in the order a file comes. */
export function place(file: string): number {
  const at = LONGEST.indexOf(file);
  return at >= 0 ? at : LONGEST.length + 1 + LAST.indexOf(file);
}

/** Runs long files first. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const order = ({ moduleId }: TestSpecification): number => place(relative(repositoryRoot, moduleId));
    return sorted.sort((a, b) => order(a) - order(b));
  }
}

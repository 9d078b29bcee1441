import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";

/** The longest files, so that short ones remain for the end of a run. */
export const LONGEST = [
  "test/sandbox/workflows.test.ts",
  "test/faults/registry.test.ts",
  "test/faults/process.test.ts",
  "test/features/compose.test.ts",
  "test/sandbox/troubleshooting/pulumi.test.ts",
  "test/faults/api.test.ts",
  "test/features/release.test.ts",
  "test/features/access.test.ts",
  "test/sandbox/permissions.test.ts",
  "test/sandbox/stacks.test.ts",
  "test/faults/docker.test.ts",
  "test/sandbox/scripts.test.ts",
  "test/sandbox/loopback.test.ts",
];

/** Ends its sandbox, so that the next file has to create another. */
export const LAST = ["test/features/cli.test.ts"];

/** The position of a file in the order. */
function place(file: string): number {
  const at = LONGEST.indexOf(file);
  return at >= 0 ? at : LONGEST.length + 1 + LAST.indexOf(file);
}

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const order = ({ moduleId }: TestSpecification): number => place(relative(repositoryRoot, moduleId));
    return sorted.sort((a, b) => order(a) - order(b));
  }
}

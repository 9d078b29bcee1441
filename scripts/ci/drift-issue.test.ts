import { expect, it, test } from "vitest";
import { driftIssue, MARKER } from "./drift-issue.ts";

const run = "https://github.com/o/r/actions/runs/9";
const now = new Date("2026-03-04T03:17:05Z");
const LAST = `Last run: [2026-03-04 03:17 UTC](${run}).`;
const DRIFTED = "Production is not as the stack says";
const UNKNOWN = "Whether production has drifted is unknown";
const unknown = (since: string): string => `Drift is unknown since ${since}: the last run failed.`;
const old = "Last run: [2026-01-01 03:17 UTC](https://github.com/o/r/actions/runs/1).";

test.each<[string, string[] | undefined, string | undefined, object]>([
  ["a change", ["a change\n", ""], undefined, { title: DRIFTED, body: `a change\n\n${LAST}` }],
  ["changes of both stacks", ["a\n", "b\n"], "x", { title: DRIFTED, body: `a\n\nb\n\n${LAST}` }],
  ["nothing", ["\n", ""], "a change", { comment: `No drift any more. ${LAST}` }],
  ["a failure", undefined, undefined, { title: UNKNOWN, body: `${unknown("2026-03-04")}\n\n${LAST}` }],
  [
    "a failure after another",
    undefined,
    `${MARKER}\n${unknown("2026-01-02")}\n\n${old}\n`,
    { title: UNKNOWN, body: `${unknown("2026-01-02")}\n\n${LAST}` },
  ],
  [
    "a failure after a change",
    undefined,
    `${MARKER}\na\n\nchange\n\n${old}\n`,
    { title: DRIFTED, body: `${unknown("2026-03-04")}\n\na\n\nchange\n\n${LAST}` },
  ],
  [
    "a second failure after a change",
    undefined,
    `${MARKER}\n${unknown("2026-01-02")}\n\na change\n\n${old}\n`,
    { title: DRIFTED, body: `${unknown("2026-01-02")}\n\na change\n\n${LAST}` },
  ],
])("the issue after %s", (_, reports, before, issue) => {
  expect(driftIssue({ reports, before, run, now })).toEqual(issue);
});

it("reads a body with the line ends of a browser", () => {
  const before = `${MARKER}\r\n${unknown("2026-01-02")}\r\n\r\n${old}`;
  expect(driftIssue({ reports: undefined, before, run, now })).toMatchObject({ title: UNKNOWN });
});

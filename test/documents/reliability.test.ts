import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { groupedTable, misplaced, notProvoked, wholeTable } from "../faults/rows.ts";

const lost = { seen: "nothing", plugins: "gcp (fake)" };
const cases = [
  { ...lost, fault: "each route answers 429 once", happened: "tried again", next: "none" },
  { ...lost, fault: "each route answers slowly once", happened: "waited for", next: "none" },
  {
    ...lost,
    fault: "a tag is deleted behind the stack's back",
    happened: "kept",
    seen: "`a | b`\n`c`",
    next: "`pulumi up`: 1 created, 24 unchanged",
  },
];

test("faults that look alike are one row, with one message and without counts", () => {
  const rows = groupedTable(cases).split("\n");
  expect(rows).toContain(
    "| a Google API answers 429, 500, 503 or slowly, or an operation takes long | tried again; or: waited for | nothing | none |",
  );
  expect(rows).toContain("| a tag is deleted outside the stack | kept | `a \\| b` | `pulumi up` |");
});

test("the run's table has every fault with all that came of it", () => {
  expect(wholeTable(cases).split("\n")).toHaveLength(2 + cases.length);
  expect(wholeTable(cases)).toContain(
    "| `a \\| b`<br>`c` | `pulumi up`: 1 created, 24 unchanged | gcp (fake) |",
  );
});

test("a fault of no row is told, and a row of no fault", () => {
  expect(misplaced(["each route answers 429 once", "a meteor"])).toEqual(["a meteor"]);
  expect(notProvoked(cases.map(({ fault }) => fault))).toContain("`pulumi up` is killed");
});

test("the document has the rows that there are", () => {
  const document = readFileSync(join(repositoryRoot, "docs/RELIABILITY.md"), "utf8");
  for (const row of notProvoked([])) expect(document).toContain(`| ${row} `);
  expect(document.match(/^\|/gm)).toHaveLength(2 + notProvoked([]).length);
});

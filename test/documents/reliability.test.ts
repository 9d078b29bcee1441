import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryRoot } from "../../sandbox/lib/paths.ts";
import { groupedTable, misplaced, rowsWithoutCase, fullTable } from "../faults/rows.ts";

const common = { seen: "nothing", plugins: "gcp (fake)" };
const cases = [
  { ...common, fault: "each route answers 429, then 500, then 503", happened: "tried again", next: "none" },
  { ...common, fault: "each route answers slowly once", happened: "waited for", next: "none" },
  {
    ...common,
    fault: "a tag is deleted outside the stack",
    happened: "kept",
    seen: "`a | b`\n`c`",
    next: "`pulumi up`: 1 created, 24 unchanged",
  },
];

test("the document's table has one row per group of faults, with one message and without counts", () => {
  const rows = groupedTable(cases).split("\n");
  expect(rows).toContain(
    "| a Google API answers 429, 500, 503 or slowly, or an operation takes long | tried again; or: waited for | nothing | none |",
  );
  expect(rows).toContain("| a tag is deleted outside the stack | kept | `a \\| b` | `pulumi up` |");
});

test("the full table has one row per fault, with its complete outcome", () => {
  expect(fullTable(cases).split("\n")).toHaveLength(2 + cases.length);
  expect(fullTable(cases)).toContain(
    "| `a \\| b`<br>`c` | `pulumi up`: 1 created, 24 unchanged | gcp (fake) |",
  );
});

test("a fault without a row is found, and a row without a fault", () => {
  expect(misplaced(["each route answers 429, then 500, then 503", "a meteor"])).toEqual(["a meteor"]);
  expect(rowsWithoutCase(cases.map(({ fault }) => fault))).toContain("`pulumi up` is killed");
});

test("the document has exactly these rows", () => {
  const document = readFileSync(join(repositoryRoot, "docs/RELIABILITY.md"), "utf8");
  for (const row of rowsWithoutCase([])) expect(document).toContain(`| ${row} `);
  expect(document.match(/^\|/gm)).toHaveLength(2 + rowsWithoutCase([]).length);
});

import type { Survival } from "./survives.ts";

/** A fault and its outcome. */
export interface Case extends Survival {
  fault: string;
}

/** A row of docs/RELIABILITY.md: a group of similar faults. */
interface Row {
  fault: string;
  /** Matches the names of its tests. */
  covers: RegExp;
}

/** Each fault test matches exactly one row. */
const ROWS: readonly Row[] = [
  {
    fault: "a Google API answers 429, 500, 503 or slowly, or an operation takes long",
    covers: /^each route /,
  },
  {
    fault: "the answer to a change is lost",
    covers: /^the answer to each (repeatable change|creation)|^the answer is lost when/,
  },
  { fault: "the answer to a deletion is lost", covers: /^the answer to each soft deletion/ },
  { fault: "a Google operation fails", covers: /^each operation of a / },
  { fault: "a grant to the caller has not taken effect yet", covers: /^a grant to the caller/ },
  {
    fault: "another person changes the repository or its policy",
    covers: /^another person edits|^a binding is removed|^the repository is changed/,
  },
  {
    fault: "another person deletes the service account, the identity pool or the policy's exception",
    covers:
      /^the (service account|identity pool) is deleted|^the exception from the organization's policy is deleted/,
  },
  { fault: "another person deletes the repository", covers: /^the repository is deleted/ },
  { fault: "the Artifact Registry API is disabled", covers: /^the Artifact Registry API/ },
  {
    fault: "an upload is interrupted, or the registry restarts",
    covers: /in the middle of a blob|^the registry is restarted/,
  },
  {
    fault: "the registry is down or full, or the login expires before the push",
    covers: /^the registry is killed|^the registry's disk|^the token expires/,
  },
  { fault: "a tag is deleted outside the stack", covers: /^a tag is deleted/ },
  {
    fault: "there is no engine, or it is killed during a build",
    covers: /^no engine|^the engine is killed/,
  },
  {
    fault: "a build fails: a step, a file that cannot be read, a link out of the context",
    covers: /^a step of|^a file of the context|^a symlink leaves/,
  },
  {
    fault: "a context of 1 GB, with any name, or with another ignore file",
    covers: /^a context of|^a path with|^an ignore file/,
  },
  { fault: "`pulumi up` is killed", covers: /is killed \(SIGKILL\)/ },
  { fault: "Ctrl-C, or two runs at once", covers: /^Ctrl-C|^two `pulumi up`/ },
  { fault: "the state cannot be written", covers: /^the state (cannot|becomes)/ },
  { fault: "a clock is wrong by an hour", covers: /clock/ },
  { fault: "the services of the sandbox are killed", covers: /^the services of the sandbox/ },
];

/** Faults that match no row, or more than one. */
export function misplaced(faults: readonly string[]): string[] {
  return faults.filter((fault) => ROWS.filter(({ covers }) => covers.test(fault)).length !== 1);
}

/** Rows without a provoked fault. */
export function rowsWithoutCase(faults: readonly string[]): string[] {
  return ROWS.filter(({ covers }) => !faults.some((fault) => covers.test(fault))).map(({ fault }) => fault);
}

/** The table of the document: one row per group of faults, with one of its messages. */
export function groupedTable(cases: readonly Case[]): string {
  return table(
    ["fault", "what happened", "what you see, or the like", "the next command"],
    ROWS.map(({ fault, covers }) => {
      const own = cases.filter((each) => covers.test(each.fault));
      const seen = own.map((each) => each.seen.split("\n")[0] ?? "").find((text) => text !== "nothing");
      const next = joinUnique(own.map((each) => withoutCounts(each.next)).filter((text) => text !== "none"));
      return [fault, joinUnique(own.map(({ happened }) => happened)), seen ?? "nothing", next || "none"];
    }),
  );
}

/** The full table: one row per fault. */
export function fullTable(cases: readonly Case[]): string {
  return table(
    ["fault", "what happened", "what you see", "the next command", "plugins"],
    cases.map(({ fault, happened, seen, next, plugins }) => [fault, happened, seen, next, plugins]),
  );
}

/** Shortens "`pulumi up`: 3 created, 22 unchanged" to "`pulumi up`". */
function withoutCounts(next: string): string {
  return next.replace(/: \d+ (created|updated|deleted|imported|unchanged).*$/, "");
}

function joinUnique(texts: readonly string[]): string {
  return [...new Set(texts)].join("; or: ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map(cell).join(" | ")} |`)
    .join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", "<br>").trim();
}

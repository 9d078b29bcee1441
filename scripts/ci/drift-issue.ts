/** The first line of the issue about drift, by which it is known again. drift.yml writes the same. */
export const MARKER = "<!-- hyperion: drift -->";

const UNKNOWN = "Drift is unknown since ";
const LAST = "Last run: ";

/** What a night found. */
export interface Found {
  /** What each job found, empty where that is no drift; undefined where one of them could not look. */
  reports: string[] | undefined;
  /** The body of the open issue. */
  before: string | undefined;
  /** Address of the run. */
  run: string;
  now: Date;
}

/** What the issue is to say; closed with a comment where there is no drift. */
export type DriftIssue = { title: string; body: string } | { comment: string };

/** The issue about drift after a run. What was found before stays while nobody can look, and so does the first such day. */
export function driftIssue({ reports, before, run, now }: Found): DriftIssue {
  const minute = now.toISOString().slice(0, 16).replace("T", " ");
  const last = `${LAST}[${minute} UTC](${run}).`;
  const report = reports?.map((one) => one.trim()).filter((one) => one !== "");
  if (report?.length === 0) return { comment: `No drift any more. ${last}` };
  if (report !== undefined) return issue("Production is not as the stack says", [...report, last]);
  const lines = (before ?? "").split(/\r?\n/).filter((line) => line !== MARKER && !line.startsWith(LAST));
  const since = lines.find((line) => line.startsWith(UNKNOWN))?.slice(UNKNOWN.length, UNKNOWN.length + 10);
  const found = lines
    .filter((line) => !line.startsWith(UNKNOWN))
    .join("\n")
    .trim();
  const failed = `${UNKNOWN}${since ?? minute.slice(0, 10)}: the last run failed.`;
  return found === ""
    ? issue("Whether production has drifted is unknown", [failed, last])
    : issue("Production is not as the stack says", [failed, found, last]);
}

function issue(title: string, paragraphs: string[]): DriftIssue {
  return { title, body: paragraphs.join("\n\n") };
}

/** The first line of the issue about drift, which identifies it. drift.yml has a copy. */
export const MARKER = "<!-- hyperion: drift -->";

const UNKNOWN = "Drift is unknown since ";
const LAST = "Last run: ";

/** The results of a nightly run. */
export interface Found {
  /** The report of each job, empty without drift; undefined if a job failed. */
  reports: string[] | undefined;
  /** The body of the open issue. */
  before: string | undefined;
  /** The address of the run. */
  run: string;
  now: Date;
}

/** The issue, or the comment that closes it if there is no drift. */
export type DriftIssue = { title: string; body: string } | { comment: string };

/** The issue about drift after a run. While runs fail, the last report and the day of the first failure stay. */
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

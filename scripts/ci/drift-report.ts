// Prints the issue about drift, or nothing: drift-report.ts REFRESH.json PREVIEW.json
import { readFileSync } from "node:fs";
import { readPreview } from "./preview.ts";
import { driftReport } from "./reports.ts";

const [refresh, preview] = process.argv.slice(2).map((file) => readPreview(readFileSync(file, "utf8")));
if (refresh === undefined || preview === undefined) throw new Error("two files are needed");
const errors = [...refresh.errors, ...preview.errors];
if (errors.length > 0) {
  console.error(`Whether there is drift is unknown:\n${errors.join("\n")}`);
  process.exitCode = 1;
} else {
  process.stdout.write(driftReport(refresh, preview));
}

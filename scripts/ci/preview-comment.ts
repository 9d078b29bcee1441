// Prints the comment on a pull request: preview-comment.ts PREVIEW.json STDERR
import { readFileSync } from "node:fs";
import { readPreview } from "./preview.ts";
import { previewComment } from "./reports.ts";

const [preview = "", stderr = ""] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
process.stdout.write(previewComment(readPreview(preview), stderr));

// Reads `pulumi preview --json` on stdin; succeeds when only images and tags would change.
import { readFileSync } from "node:fs";
import { describe, isAboutImages, readPreview } from "./preview.ts";

const { changes, errors } = readPreview(readFileSync(0, "utf8"));
const others = changes.filter((change) => !isAboutImages(change));
if (errors.length > 0) {
  console.error(`The preview failed; nothing is published.\n${errors.join("\n")}`);
  process.exitCode = 1;
} else if (others.length > 0) {
  console.error(
    `More than images and tags would change; nothing is published:\n${others.map((change) => `  ${describe(change)}\n`).join("")}` +
      "Infrastructure is applied by a maintainer: pulumi up --stack production. Then run this again.",
  );
  process.exitCode = 1;
} else {
  console.log(
    changes.length === 0
      ? "Nothing would change."
      : `Only images and tags change: ${changes.length} changes.`,
  );
}

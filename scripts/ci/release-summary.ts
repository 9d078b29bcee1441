// Prints what was published as a table in Markdown; reads `pulumi stack output images --json` on stdin.
import { readFileSync } from "node:fs";
import { z } from "zod";

const output = z.record(
  z.string(),
  z.object({ digest: z.string(), reference: z.string(), tags: z.array(z.string()) }),
);
const rows = Object.entries(output.parse(JSON.parse(readFileSync(0, "utf8")))).flatMap(
  ([, { digest, reference, tags }]) => {
    const repository = reference.replace(/@.*/, "");
    return tags.map((tag) => `| \`${repository}:${tag}\` | \`${digest}\` |\n`);
  },
);
process.stdout.write(`### Published\n\n| reference | digest |\n| --- | --- |\n${rows.join("")}`);

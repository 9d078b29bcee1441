// Prints what build-and-push-images.sh has to know, as tab-separated lines (lib/catalogue.ts).
import * as path from "node:path";
import { catalogue, type Line } from "./plan.ts";

let lines: Line[];
try {
  lines = catalogue(process.argv.slice(2), path.resolve(import.meta.dirname, "../.."), process.env);
} catch (error) {
  lines = [["problem", error instanceof Error ? error.message : String(error)]];
}
process.stdout.write(lines.map((line) => `${line.join("\t")}\n`).join(""));

// Prints settings of a stack, one a line: print-settings.ts STACK KEY...
import * as path from "node:path";
import { messageOf } from "../problems/wording.ts";
import { StackSettings } from "../settings/stack-settings.ts";

const [stack = "production", ...keys] = process.argv.slice(2);
try {
  const settings = new StackSettings(path.dirname(import.meta.dirname), stack);
  for (const key of keys) console.log(settings.text(key));
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

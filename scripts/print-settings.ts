// Prints settings of a stack, one a line: setting.ts STACK KEY... (as Pulumi.<stack>.yaml says them).
import * as path from "node:path";
import { StackSettings } from "../settings/stack-settings.ts";

const [stack = "production", ...keys] = process.argv.slice(2);
try {
  const settings = new StackSettings(path.dirname(import.meta.dirname), stack);
  for (const key of keys) console.log(settings.text(key));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

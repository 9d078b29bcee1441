// Prints the release settings of a checkout, `KEY VALUE` a line: release-settings.ts REF COMMIT
import { execFileSync } from "node:child_process";
import { releaseSettings } from "./release-settings.ts";

const [ref = "", commit = ""] = process.argv.slice(2);
const git = (args: string[]): string =>
  execFileSync("git", args, { encoding: "utf8", env: { ...process.env, TZ: "UTC" } }).trim();

try {
  const settings = releaseSettings({
    ref,
    commit,
    date: git(["show", "--no-patch", "--date=format-local:%F", "--format=%cd", commit]),
    tags: git(["tag", "--list"]).split("\n"),
  });
  for (const [key, value] of Object.entries(settings)) console.log(`hyperion-registry:${key} ${value}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

import { readFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { isExecutable } from "../../components/images/programs.ts";
import { sharedCache } from "../lib/paths.ts";
import type { Progress } from "../lib/progress.ts";
import { goBuild } from "./go-build.ts";

/**
 * Builds the program in the `tool` line of `go/NAME/go.mod`: under two minutes, once for all checkouts. Returns the
 * executable.
 */
export async function ensureGoTool(name: "act" | "fake-gcs-server", progress: Progress): Promise<string> {
  const folder = join(import.meta.dirname, "go", name);
  const module = readFileSync(join(folder, "go.mod"), "utf8");
  const [, program = ""] = /^tool (\S+)$/m.exec(module) ?? [];
  const [version = ""] = new RegExp(`(?<=${program} )v\\S+`).exec(module) ?? [];
  const target = join(sharedCache, `${name}-${version}`, name);
  if (isExecutable(target)) return target;
  await goBuild([{ folder, program }], target, progress, (built) => rename(join(built, name), target));
  return target;
}

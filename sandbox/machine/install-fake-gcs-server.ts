import { rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { isExecutable } from "../../components/images/programs.ts";
import type { Progress } from "../lib/progress.ts";
import { goBuild } from "./go-build.ts";

/** The version that is built; `go/fake-gcs-server/go.mod` pins the same. */
const VERSION = "1.56.1";

/** Builds fsouza/fake-gcs-server unless that is done: under a minute, once for all checkouts. Returns the executable. */
export async function ensureFakeGcsServer(progress: Progress): Promise<string> {
  const target = join(
    homedir(),
    ".cache",
    "hyperion-sandbox",
    `fake-gcs-server-v${VERSION}`,
    "fake-gcs-server",
  );
  if (isExecutable(target)) return target;
  const folder = join(import.meta.dirname, "go", "fake-gcs-server");
  await goBuild([{ folder, program: "github.com/fsouza/fake-gcs-server" }], target, progress, (built) =>
    rename(join(built, "fake-gcs-server"), target),
  );
  return target;
}

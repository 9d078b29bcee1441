import { rename } from "node:fs/promises";
import { join } from "node:path";
import { isExecutable } from "../../components/images/programs.ts";
import { sharedCache } from "../lib/paths.ts";
import type { Progress } from "../lib/progress.ts";
import { goBuild } from "./go-build.ts";

const TOOLS = {
  /** Runs the workflows of .github. */
  act: {
    path: "github.com/nektos/act",
    version: "v0.2.89",
    sum: "h1:d9oFeJ6jUkaVExuG+XzAaMPDqoDrNHaGeiRb8IU+N5w=",
  },
  /** The objects of the emulated Cloud Storage. */
  "fake-gcs-server": {
    path: "github.com/fsouza/fake-gcs-server",
    version: "v1.56.1",
    sum: "h1:K03sAvbLvDz4hAynpCCUqnNRp+ik9JFSvHbkD/wTPOU=",
  },
};

/** Builds a program for the tests: under two minutes, once for all checkouts. Returns the executable. */
export async function ensureGoTool(name: keyof typeof TOOLS, progress: Progress): Promise<string> {
  const module = TOOLS[name];
  const target = join(sharedCache, `${name}-${module.version}`, name);
  if (isExecutable(target)) return target;
  await goBuild([{ module, folders: ["."] }], target, progress, (built) => rename(join(built, name), target));
  return target;
}

import * as path from "node:path";

/** The folder of this checkout. */
export const root = path.resolve(import.meta.dirname, "../..");

/** The folder of the stacks' files: this checkout, or the sandbox's copies in a shell with its variables. */
export const projectFolder = process.env["HYPERION_PROJECT_DIR"] ?? root;

// actions/upload-artifact: what it says where there is nothing to keep.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { input, variable } from "./runner.ts";

const found = existsSync(join(variable("GITHUB_WORKSPACE"), input("path")));
if (!found && input("if-no-files-found") === "error")
  throw new Error(`No files were found with the provided path: ${input("path")}`);

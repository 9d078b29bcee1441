// Replaces actions/upload-artifact.
import { cpSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { input, standIn, variable } from "./runner.ts";

const place = join(variable("GITHUB_WORKSPACE"), input("path"));
const found = existsSync(place);
if (found && statSync(place).isDirectory())
  cpSync(place, join(standIn().folder, "artifacts", input("name")), { recursive: true });
if (!found && input("if-no-files-found") === "error")
  throw new Error(`No files were found with the provided path: ${input("path")}`);

// Replaces actions/download-artifact.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { input, standIn, variable } from "./runner.ts";

const artifact = join(standIn().folder, "artifacts", input("name"));
cpSync(artifact, join(variable("GITHUB_WORKSPACE"), input("path")), { recursive: true });

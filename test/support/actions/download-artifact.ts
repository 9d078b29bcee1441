// actions/download-artifact: what a job of the same run has uploaded.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { input, standIn, variable } from "./runner.ts";

const artifact = join(standIn().folder, "artifacts", input("name"));
cpSync(artifact, join(variable("GITHUB_WORKSPACE"), input("path")), { recursive: true });

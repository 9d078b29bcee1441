// Builds and pushes the images for build-and-push-images.sh.
// First: it halves the load time of the imports below.
import "../../start/start.cjs";
import * as path from "node:path";
import { run } from "./run.ts";

const root = process.env["HYPERION_PROJECT_DIR"] ?? path.resolve(import.meta.dirname, "../..");

process.exitCode = await run(process.argv.slice(2), root);

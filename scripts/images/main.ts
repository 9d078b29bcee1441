// Builds and pushes the images for build-and-push-images.sh.
// First: it halves the load time of the imports below.
import "../../start/start.cjs";
import { projectFolder } from "../lib/folders.ts";
import { run } from "./run.ts";

process.exitCode = await run(process.argv.slice(2), projectFolder);

// Replaces actions/setup-node: requires that the test's Node.js has the version in the file.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { addPath, input, standIn, variable } from "./runner.ts";

const wanted = readFileSync(join(variable("GITHUB_WORKSPACE"), input("node-version-file")), "utf8").trim();
if (!process.version.startsWith(`v${wanted}.`))
  throw new Error(`Node.js ${wanted} is not ${process.version}`);
addPath(dirname(standIn().node));

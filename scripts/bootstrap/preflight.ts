import { commandsOnPath, isExecutable } from "../../components/images/programs.ts";
import type { Problem } from "../../problems/problem.ts";
import { verifiedCli } from "../lib/pulumi-cli.ts";

/** The programs that the installer of the verified Pulumi needs, and where to get them. */
const TOOLS = {
  curl: "https://curl.se/download.html",
  tar: "https://www.gnu.org/software/tar/",
  cosign: "https://docs.sigstore.dev/cosign/system_config/installation",
};

/** A problem for each missing program. */
export function toolProblems(root: string, environment: NodeJS.ProcessEnv = process.env): Problem[] {
  if (isExecutable(verifiedCli(root, environment))) return [];
  return Object.entries(TOOLS)
    .filter(([tool]) => commandsOnPath(tool, environment["PATH"]).length === 0)
    .map(([tool, page]) => ({
      where: tool,
      found: "not installed",
      allowed: "the programs that download, verify and unpack the Pulumi CLI",
      fix: `install ${tool}: ${page}`,
    }));
}

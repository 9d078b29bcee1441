import { existsSync } from "node:fs";
import type { Command } from "commander";
import { type GithubRun, mintGithubToken } from "../emulator/support/github-issuer.ts";
import { noSandbox } from "../lib/require-sandbox.ts";
import { sandboxPaths } from "../lib/paths.ts";

type GithubTokenOptions = Omit<GithubRun, "eventName"> & { event?: string };

/** `github-token`: an OIDC token of a workflow run, signed by the emulated issuer. */
export function addGithubToken(command: Command): void {
  command
    .option("--repository <owner/name>", "default: HyperionWave-AI/dev-squad")
    .option("--event <name>", "push (default), pull_request, workflow_dispatch, ...")
    .option("--ref <ref>", "default: refs/heads/main")
    .option("--workflow <file>", "default: publish.yml")
    .option("--environment <name>", "the GitHub environment of the job")
    .option("--repository-id <number>", "numeric id of the repository")
    .option("--owner-id <number>", "numeric id of its owner")
    .option("--audience <url>", "default: as GitHub's")
    .action(async ({ event, ...rest }: GithubTokenOptions) => {
      const paths = sandboxPaths();
      if (!existsSync(paths.key)) throw noSandbox(paths);
      const run: GithubRun = { ...rest, ...(event !== undefined && { eventName: event }) };
      console.log(await mintGithubToken(paths.root, run));
    });
}

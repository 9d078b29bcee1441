// Replaces actions/github-script: runs the script with GitHub's API and the job's token.
import { context, getOctokit } from "@actions/github";
import { input, jobToken } from "./runner.ts";

// oxlint-disable-next-line typescript/no-implied-eval
const script = new Function(
  "github",
  "context",
  "core",
  `return (async () => {${input("script")}\n})();`,
) as (...args: unknown[]) => Promise<unknown>;
const core = {
  setFailed: (message: string) => {
    console.log(`::error::${message}`);
    process.exitCode = 1;
  },
};
await script(getOctokit(jobToken()), context, core);

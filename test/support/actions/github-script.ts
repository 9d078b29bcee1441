// actions/github-script: the script as the body of an async function, with GitHub's API as the job may use it.
import { context, getOctokit } from "@actions/github";
import { input, jobToken } from "./runner.ts";

// eslint-disable-next-line @typescript-eslint/no-implied-eval
const script = new Function("github", "context", `return (async () => {${input("script")}\n})();`) as (
  ...args: unknown[]
) => Promise<unknown>;
await script(getOctokit(jobToken()), context);

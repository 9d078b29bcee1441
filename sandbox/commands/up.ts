import { SandboxError } from "../lib/errors.ts";
import { commandEnvironment } from "../services/environment.ts";
import { whileLocked } from "../lib/lock.ts";
import { makeReady } from "./make-ready.ts";
import { type SandboxPaths, sandboxPaths } from "../lib/paths.ts";
import { pulumiCommand, runAttached, stackExists } from "../lib/pulumi.ts";
import { printSteps } from "./steps.ts";
import { printSummary } from "./summary.ts";

const STACK = "sandbox";

/** `npm run sandbox`: installs and starts what is missing, then runs `pulumi up`. Returns the exit code. */
export async function up(options: { stack: boolean }, paths: SandboxPaths = sandboxPaths()): Promise<number> {
  const pulumi = pulumiCommand(paths);
  const env = await whileLocked(paths, async () => {
    const { config, tools } = await makeReady(paths, printSteps);
    const variables = await commandEnvironment(paths, config, tools);
    if (!stackExists(paths, STACK)) {
      const made = await runAttached(pulumi, ["stack", "init", STACK, "--non-interactive"], variables);
      if (made !== 0) throw new SandboxError(`the stack "${STACK}" could not be created (see above)`);
    }
    return variables;
  });
  if (!options.stack) return 0;
  const code = await runAttached(
    pulumi,
    ["up", "--stack", STACK, "--yes", "--skip-preview", "--suppress-outputs"],
    env,
  );
  if (code !== 0)
    throw new SandboxError(
      "pulumi up failed (see above). The services run. Fix the cause, then: npm run sandbox",
    );
  await printSummary(paths, env);
  return 0;
}

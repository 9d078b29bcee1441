import { enableCompileCache } from "node:module";
import { platform } from "node:os";
import { Command } from "commander";
import { messageOf } from "../problems/wording.ts";
import { SandboxError } from "./lib/errors.ts";
import { compileCache, sandboxPaths } from "./lib/paths.ts";

// Subcommands import their modules when they run, so that most answer within half a second.

enableCompileCache(compileCache);

const program = new Command("npm run sandbox --")
  .description("Runs the production registry on this machine, without a Google account.")
  .enablePositionalOptions()
  .configureHelp({ showGlobalOptions: false })
  .showHelpAfterError("(npm run sandbox -- help)");

program
  .command("up", { isDefault: true })
  .description("install and start what is missing, bring the stack up (also without a subcommand)")
  .option("--no-stack", "start the services only")
  .action(async (options: { stack: boolean }) => {
    const { up } = await import("./commands/up.ts");
    process.exitCode = await up(options);
  });

program
  .command("down")
  .description("destroy the stacks, stop the services, remove all files except downloads")
  .option("--force", "without destroying the stacks", false)
  .action(async (options: { force: boolean }) => {
    const { down } = await import("./commands/down.ts");
    process.exitCode = await down(options);
  });

program
  .command("status")
  .description("show services and plugins")
  .option("--json", "for programs", false)
  .action(async ({ json }: { json: boolean }) => {
    const { readStatus, statusTable } = await import("./commands/status.ts");
    const status = await readStatus();
    console.log(json ? JSON.stringify(status, null, 2) : await statusTable(status));
  });

program
  .command("env")
  .description('print variables for this shell: eval "$(npm run --silent sandbox -- env)"')
  .action(async () => {
    const { exportLines, misleadingVariables, sandboxVariables } = await import("./services/environment.ts");
    const { requireMade } = await import("./lib/require-sandbox.ts");
    const paths = sandboxPaths();
    const { config, tools } = requireMade(paths);
    const unset = misleadingVariables().map((name) => `unset ${name}\n`);
    process.stdout.write(unset.join("") + exportLines(await sandboxVariables(paths, config, tools)));
  });

program
  .command("token")
  .description("print an access token")
  .argument("<principal>", "user:dana@example.com, serviceAccount:..., ...")
  .action(async (principal: string) => {
    const { token } = await import("./commands/token.ts");
    console.log(await token(principal));
  });

program
  .command("project")
  .description("create a project as Google does; you get only the roles in docs/ACCESS.md")
  .argument("<id>", "such as my-project")
  .action(async (projectId: string) => {
    const { printAdmin } = await import("./services/admin.ts");
    await printAdmin("POST", "projects", { projectId });
  });

program
  .command("cleanup")
  .description("run the repositories' cleanup policies, as Google does once a day")
  .action(async () => {
    const { printAdmin } = await import("./services/admin.ts");
    await printAdmin("POST", "cleanup");
  });

program
  .command("pulumi")
  .description("run a pulumi command in the sandbox")
  .argument("[args...]")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (args: string[]) => {
    const { commandEnvironment } = await import("./services/environment.ts");
    const { pulumiCommand, runAttached } = await import("./lib/pulumi.ts");
    const { requireRunning } = await import("./lib/require-sandbox.ts");
    const paths = sandboxPaths();
    const { config, tools } = requireRunning(paths);
    process.exitCode = await runAttached(
      pulumiCommand(paths),
      args,
      await commandEnvironment(paths, config, tools),
    );
  });

/** Subcommands in modules of their own. */
const GROUPS: Record<string, { description: string; load: () => Promise<(command: Command) => void> }> = {
  "org-policy": {
    description: "restrict who can get access and what can be created, as an organization does",
    load: async () => (await import("./commands/org-policy.ts")).addOrgPolicies,
  },
  fault: {
    description: "make the emulated APIs, the registry or a service fail",
    load: async () => (await import("./commands/fault.ts")).addFaults,
  },
  "github-token": {
    description: "print an OIDC token of a workflow run at GitHub, for the token exchange",
    load: async () => (await import("./commands/github-token.ts")).addGithubToken,
  },
};

async function addGroups(name: string | undefined): Promise<void> {
  for (const [group, { description, load }] of Object.entries(GROUPS)) {
    const command = program.command(group).description(description);
    if (group === name) (await load())(command);
  }
}

/** Otherwise commander takes an unknown subcommand for an argument of `up`. */
function refuseUnknown(subcommand: string | undefined): void {
  const known = [...program.commands.map((command) => command.name()), "help"];
  if (subcommand === undefined || subcommand.startsWith("-") || known.includes(subcommand)) return;
  throw new SandboxError(
    `there is no subcommand "${subcommand}". Subcommands: ${known.join(", ")} (npm run sandbox -- help)`,
  );
}

async function main(): Promise<void> {
  if (platform() !== "linux")
    throw new SandboxError(
      `the sandbox runs only on Linux, including WSL, and this is ${platform()}. ` +
        "Use a virtual machine or a container with Linux.",
    );
  const [subcommand, next] = process.argv.slice(2);
  await addGroups(subcommand === "help" ? next : subcommand);
  refuseUnknown(subcommand);
  await program.parseAsync();
}

main().catch((error: unknown) => {
  console.error(`sandbox: ${messageOf(error)}`);
  if (process.env["HYPERION_SANDBOX_DEBUG"]) console.error(error);
  process.exitCode = 1;
});

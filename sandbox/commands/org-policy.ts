import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { printAdmin } from "../services/admin.ts";

interface OrgPolicyOptions {
  constraint: string;
  delay: number;
}

const CONSTRAINTS = ["iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers"];

function seconds(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("It is a number of seconds, such as 30.");
  return Number(text);
}

/** `org-policy`: the organization's restriction of who may be named in an IAM policy. */
export function orgPolicyCommand(): Command {
  const command = new Command("org-policy").description(
    "restrict who may be given access, as an organization does",
  );
  command
    .command("show", { isDefault: true })
    .description("the restrictions in force")
    .action(async () => {
      await printAdmin("GET", "org-policy");
    });
  for (const [mode, description] of [
    ["allow", "no restriction"],
    ["deny", "only members of the organization itself: allUsers is refused"],
    ["domains", "only members of these customers"],
  ] as const) {
    const subcommand = command
      .command(mode)
      .description(description)
      .addOption(
        new Option("--constraint <name>", "which constraint").choices(CONSTRAINTS).default(CONSTRAINTS[0]),
      )
      .option("--delay <seconds>", "how long the change takes to be in force", seconds, 0);
    if (mode === "domains")
      subcommand.addArgument(new Argument("<customers...>", "customer ids, such as C0abc1234"));
    subcommand.action(async (...args: unknown[]) => {
      const options = subcommand.opts<OrgPolicyOptions>();
      const body = {
        mode,
        constraint: options.constraint,
        delaySeconds: options.delay,
        ...(mode === "domains" && { customers: args[0] }),
      };
      await printAdmin("PUT", "org-policy", body);
    });
  }
  return command;
}

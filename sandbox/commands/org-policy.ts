import { Argument, Command, InvalidArgumentError } from "commander";
import { printAdmin } from "../services/admin.ts";

interface OrgPolicyOptions {
  constraint: string;
  condition?: string;
  delay: number;
}

const CONSTRAINTS = [
  "iam.allowedPolicyMemberDomains",
  "iam.managed.allowedPolicyMembers",
  "iam.workloadIdentityPoolProviders",
  "iam.disableServiceAccountCreation",
];

function seconds(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("It is a number of seconds, such as 30.");
  return Number(text);
}

/** `org-policy`: the organization's restriction of who may be named in an IAM policy. */
export function orgPolicyCommand(): Command {
  const command = new Command("org-policy").description(
    "restrict who may be given access and what may be made, as an organization does",
  );
  command
    .command("show", { isDefault: true })
    .description("the restrictions in force")
    .action(async () => {
      await printAdmin("GET", "org-policy");
    });
  for (const [mode, description] of [
    ["allow", "no restriction"],
    [
      "deny",
      "only members of the organization itself; of another constraint: all that it restricts is refused",
    ],
    ["domains", "only members of these customers"],
  ] as const) {
    const subcommand = command
      .command(mode)
      .description(description)
      .option(
        "--constraint <name>",
        `which one: ${CONSTRAINTS.join(", ")}, or custom.NAME for one of the organization's own`,
        CONSTRAINTS[0],
      )
      .option("--condition <cel>", "of a custom.NAME: which IAM policy it denies, as `resource`")
      .option("--delay <seconds>", "how long the change takes to be in force", seconds, 0);
    if (mode === "domains")
      subcommand.addArgument(new Argument("<customers...>", "customer ids, such as C0abc1234"));
    subcommand.action(async (...args: unknown[]) => {
      const options = subcommand.opts<OrgPolicyOptions>();
      const body = {
        mode,
        constraint: options.constraint,
        delaySeconds: options.delay,
        ...(options.condition !== undefined && { condition: options.condition }),
        ...(mode === "domains" && { customers: args[0] }),
      };
      await printAdmin("PUT", "org-policy", body);
    });
  }
  return command;
}

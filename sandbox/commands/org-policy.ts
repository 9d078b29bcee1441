import { Argument, type Command, InvalidArgumentError } from "commander";
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

/** `org-policy`: restrictions of the organization, for example on the members of IAM policies. */
export function addOrgPolicies(command: Command): void {
  command
    .command("show", { isDefault: true })
    .description("show the restrictions")
    .action(async () => {
      await printAdmin("GET", "org-policy");
    });
  for (const [mode, description] of [
    ["allow", "no restriction"],
    ["deny", "only members of the organization; other constraints refuse everything that they restrict"],
    ["domains", "only members of these customers"],
  ] as const) {
    const subcommand = command
      .command(mode)
      .description(description)
      .option(
        "--constraint <name>",
        `which one: ${CONSTRAINTS.join(", ")}, or custom.NAME for a custom constraint`,
        CONSTRAINTS[0],
      )
      .option(
        "--condition <cel>",
        "for custom.NAME: the denied IAM policies, in CEL with the variable `resource`",
      )
      .option("--delay <seconds>", "seconds until the change takes effect", seconds, 0);
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
}

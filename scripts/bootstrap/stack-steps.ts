import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { z } from "zod";
import { storage } from "../../google/apis.ts";
import { stopError } from "../../problems/problem.ts";
import { settingKey } from "../../problems/setting-commands.ts";
import type { Google } from "./google.ts";
import { MAINTAINERS, STATE } from "./google-steps.ts";
import { NotYet, type Finding, type Step, type Todo } from "./step.ts";
import { keyName, type Stack, stacksOf, type Wanted } from "./wanted.ts";

export const STACKS = "Stacks";
export const INFRASTRUCTURE = "Infrastructure";

/** Waits between tries of what takes a grant of a moment ago. */
const SPREADING_MS = [5000, 10_000, 20_000, 30_000];

/** What the steps ask of Pulumi. */
export interface PulumiCli {
  ask(stack: Stack, ...args: string[]): Promise<string | undefined>;
  do(stack: Stack, ...args: string[]): Promise<void>;
  init(stack: Stack, ...args: string[]): Promise<void>;
  up(stack: Stack): Promise<void>;
  secretsProvider(stack: Stack): string;
}

/** The verified CLI on the two states. */
export class Pulumi implements PulumiCli {
  private readonly wanted: Wanted;
  private readonly root: string;
  /** Asks the person, before anything of the infrastructure changes. */
  private readonly agreed: (question: string) => Promise<boolean>;

  constructor(wanted: Wanted, root: string, agreed: (question: string) => Promise<boolean>) {
    this.wanted = wanted;
    this.root = root;
    this.agreed = agreed;
  }

  /** What it prints; undefined where it fails. */
  async ask({ bucket }: Stack, ...args: string[]): Promise<string | undefined> {
    const { stdout, failed } = await this.run(bucket, args, "pipe");
    return failed ? undefined : String(stdout);
  }

  /** In this terminal. @throws where it fails; it has said why. */
  async do({ bucket }: Stack, ...args: string[]): Promise<void> {
    const { failed } = await this.run(bucket, args, "inherit");
    if (failed) throw stopError(`pulumi ${args.join(" ")} failed. Run this again once that is repaired.`);
  }

  /** Makes a stack; again while Google does not know everywhere who may write the state and use its key. */
  async init({ bucket }: Stack, ...args: string[]): Promise<void> {
    for (const wait of [...SPREADING_MS, undefined]) {
      const { failed, all } = await this.run(bucket, args, "pipe");
      if (!failed) return;
      const says = String(all);
      if (wait === undefined || !/denied|forbidden|403/i.test(says))
        throw stopError(`pulumi ${args.join(" ")} failed:\n${says}`);
      await sleep(wait);
    }
  }

  private run(bucket: string, args: string[], stdio: "pipe" | "inherit") {
    const env = { PULUMI_BACKEND_URL: `gs://${bucket}` };
    return execa("pulumi", [...args, "--non-interactive"], {
      cwd: this.root,
      env,
      stdio,
      all: true,
      reject: false,
    });
  }

  /** Shows the preview, asks, and applies. */
  async up(stack: Stack): Promise<void> {
    await this.do(stack, "preview", "--stack", stack.name);
    if (!(await this.agreed(`Apply this to ${this.wanted.project}?`)))
      throw stopError("Declined; what was done so far stays. Run this again at any time.");
    await this.do(stack, "up", "--yes", "--skip-preview", "--stack", stack.name);
  }

  secretsProvider(stack: Stack): string {
    return this.wanted.secretsProvider ?? `gcpkms://${keyName(this.wanted, stack)}`;
  }
}

const printed = z.record(z.string(), z.object({ value: z.string().optional() }));

/** Both stacks, each with the settings that make it what it is; others stay as they are. */
export function stackSteps(
  google: Google,
  wanted: Wanted,
  pulumi: PulumiCli,
  more: Readonly<Record<string, string>>,
): Step {
  const settings = { production: more, "production-images": {} };
  return {
    name: STACKS,
    needs: [STATE, MAINTAINERS],
    inspect: async () => {
      const findings: Finding[] = [];
      for (const stack of stacksOf(wanted))
        findings.push(
          await stackFinding(google, pulumi, stack, { ...stack.settings, ...settings[stack.name] }),
        );
      return { have: findings.flatMap(({ have }) => have), todo: findings.flatMap(({ todo }) => todo) };
    },
  };
}

async function stackFinding(
  google: Google,
  pulumi: PulumiCli,
  stack: Stack,
  settings: Readonly<Record<string, string>>,
): Promise<Finding> {
  const { name, bucket } = stack;
  const on = `PULUMI_BACKEND_URL=gs://${bucket} npm run pulumi --`;
  const provider = pulumi.secretsProvider(stack);
  const init = ["stack", "init", name, "--no-select", `--secrets-provider=${provider}`];
  const hasState = (await google.read(storage, `b/${bucket}`)) !== undefined;
  const config = hasState ? await pulumi.ask(stack, "config", "--json", "--stack", name) : undefined;
  const values = config === undefined ? {} : printed.parse(JSON.parse(config));
  const wrong = Object.entries(settings)
    .map(([key, value]) => [key.includes(":") ? key : settingKey(key), value] as const)
    .filter(([key, value]) => values[key]?.value !== value);
  const set = [
    "config",
    "set-all",
    "--stack",
    name,
    ...wrong.flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]),
  ];
  const todo: Todo[] = [
    ...(config === undefined
      ? [
          {
            what: `stack ${name}, its state in gs://${bucket}`,
            commands: [`${on} ${init.join(" ")}`],
            apply: () => pulumi.init(stack, ...init),
          },
        ]
      : []),
    ...(wrong.length === 0
      ? []
      : [
          {
            what: `settings of ${name}: ${wrong.map(([key, value]) => `${key}=${value}`).join(", ")}`,
            commands: [`${on} ${set.join(" ")}`],
            apply: () => pulumi.do(stack, ...set),
          },
        ]),
  ];
  return {
    have: todo.length === 0 ? [`stack ${name}, its state in gs://${bucket}, with its settings`] : [],
    todo,
  };
}

/** The infrastructure as the settings say it, after a preview. */
export function infrastructure(wanted: Wanted, pulumi: PulumiCli, needs: readonly string[]): Step {
  const [stack] = stacksOf(wanted);
  const look = ["--expect-no-changes", "--stack", stack.name];
  return {
    name: INFRASTRUCTURE,
    needs,
    inspect: async () => {
      if ((await pulumi.ask(stack, "preview", ...look)) !== undefined)
        return { have: ["pulumi up would change nothing"], todo: [] };
      const command = `PULUMI_BACKEND_URL=gs://${stack.bucket} npm run pulumi -- up --stack ${stack.name}`;
      const todo = {
        what: `pulumi up of ${stack.name}, after its preview`,
        commands: [command],
        apply: () => pulumi.up(stack),
      };
      return { have: [], todo: [todo] };
    },
  };
}

/** What the variables of the workflows are; the accounts' from the outputs of the last `up`. */
export async function variableValues(
  wanted: Wanted,
  pulumi: PulumiCli,
  driftAccount: string | undefined,
): Promise<Record<string, string>> {
  const [stack, images] = stacksOf(wanted);
  const text = await pulumi.ask(stack, "stack", "output", "--json", "--stack", stack.name);
  const outputs = z
    .object({
      workloadIdentityProvider: z.string(),
      ciServiceAccountEmail: z.string(),
      previewServiceAccountEmail: z.string(),
    })
    .safeParse(JSON.parse(text ?? "{}")).data;
  if (outputs === undefined) throw new NotYet("variables that turn the workflows on, once pulumi up has run");
  return {
    WORKLOAD_IDENTITY_PROVIDER: outputs.workloadIdentityProvider,
    CI_SERVICE_ACCOUNT: outputs.ciServiceAccountEmail,
    PREVIEW_SERVICE_ACCOUNT: outputs.previewServiceAccountEmail,
    PULUMI_BACKEND_URL: `gs://${stack.bucket}`,
    PULUMI_IMAGES_BACKEND_URL: `gs://${images.bucket}`,
    ...(driftAccount !== undefined && { DRIFT_SERVICE_ACCOUNT: driftAccount }),
  };
}

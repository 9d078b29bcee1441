import { execa } from "execa";
import { z } from "zod";
import { storage } from "../../google/apis.ts";
import { retryWhile } from "../../google/retry.ts";
import { stopError } from "../../problems/stop-error.ts";
import { PULUMI, settingKey } from "../../problems/setting-commands.ts";
import type { Google } from "./google.ts";
import { MAINTAINERS, STATE } from "./google-steps.ts";
import { type Finding, found, NotYet, open, type Step, together } from "./step.ts";
import { keyName, type Stack, stacksOf, type Wanted } from "./wanted.ts";

export const STACKS = "Stacks";
export const INFRASTRUCTURE = "Infrastructure";

/** Waits between tries while a new grant spreads. */
const SPREADING_MS = [5000, 10_000, 20_000, 30_000];

/** Pulumi, as far as the steps need it. */
export interface PulumiCli {
  ask(stack: Stack, ...args: string[]): Promise<string | undefined>;
  do(stack: Stack, ...args: string[]): Promise<void>;
  init(stack: Stack, ...args: string[]): Promise<void>;
  up(stack: Stack): Promise<void>;
  secretsProvider(stack: Stack): string;
}

/** The verified CLI, with the state of each stack. */
export class Pulumi implements PulumiCli {
  private readonly wanted: Wanted;
  private readonly root: string;
  /** Asks the caller before the infrastructure changes. */
  private readonly confirm: (question: string) => Promise<boolean>;

  constructor(wanted: Wanted, root: string, confirm: (question: string) => Promise<boolean>) {
    this.wanted = wanted;
    this.root = root;
    this.confirm = confirm;
  }

  /** Runs a command. Returns its output; undefined if it fails. */
  async ask({ bucket }: Stack, ...args: string[]): Promise<string | undefined> {
    const { stdout, failed } = await this.run(bucket, args, "pipe");
    return failed ? undefined : String(stdout);
  }

  /** Runs a command in this terminal. */
  async do({ bucket }: Stack, ...args: string[]): Promise<void> {
    const { failed } = await this.run(bucket, args, "inherit");
    if (failed)
      throw stopError(`pulumi ${args.join(" ")} failed, for the reason above. Run this again afterwards.`);
  }

  /** Makes a stack. Tries again while the grants on its bucket and key spread. */
  async init({ bucket }: Stack, ...args: string[]): Promise<void> {
    const { failed, all } = await retryWhile(
      SPREADING_MS,
      (tried) => tried.failed && /denied|forbidden|403/i.test(String(tried.all)),
      () => this.run(bucket, args, "pipe"),
    );
    if (failed) throw stopError(`pulumi ${args.join(" ")} failed:\n${String(all)}`);
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
    if (!(await this.confirm(`Apply this to ${this.wanted.project}?`)))
      throw stopError("Declined; what was done so far stays. Run this again at any time.");
    await this.do(stack, "up", "--yes", "--skip-preview", "--stack", stack.name);
  }

  secretsProvider(stack: Stack): string {
    return this.wanted.secretsProvider ?? `gcpkms://${keyName(this.wanted, stack)}`;
  }
}

const printed = z.record(z.string(), z.object({ value: z.string().optional() }));

/** Both stacks, each with its own settings; other settings stay. */
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
      return together(findings);
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
  const on = `PULUMI_BACKEND_URL=gs://${bucket} ${PULUMI}`;
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
  const state = `stack ${name}, its state in gs://${bucket}`;
  if (config !== undefined && wrong.length === 0) return found(`${state}, with its settings`);
  const made = open({
    what: state,
    commands: [`${on} ${init.join(" ")}`],
    apply: () => pulumi.init(stack, ...init),
  });
  const changed = open({
    what: `settings of ${name}: ${wrong.map(([key, value]) => `${key}=${value}`).join(", ")}`,
    commands: [`${on} ${set.join(" ")}`],
    apply: () => pulumi.do(stack, ...set),
  });
  return together([...(config === undefined ? [made] : []), ...(wrong.length === 0 ? [] : [changed])]);
}

/** The infrastructure; applied after a preview. */
export function infrastructure(wanted: Wanted, pulumi: PulumiCli, needs: readonly string[]): Step {
  const [stack] = stacksOf(wanted);
  const look = ["--expect-no-changes", "--stack", stack.name];
  return {
    name: INFRASTRUCTURE,
    needs,
    inspect: async () => {
      if ((await pulumi.ask(stack, "preview", ...look)) !== undefined)
        return found("pulumi up would change nothing");
      return open({
        what: `pulumi up of ${stack.name}, after its preview`,
        commands: [`PULUMI_BACKEND_URL=gs://${stack.bucket} ${PULUMI} up --stack ${stack.name}`],
        apply: () => pulumi.up(stack),
      });
    },
  };
}

/** The variables of the workflows; the accounts come from the outputs of the last `up`. */
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
  if (outputs === undefined) throw new NotYet("variables that enable the workflows, after pulumi up");
  return {
    WORKLOAD_IDENTITY_PROVIDER: outputs.workloadIdentityProvider,
    CI_SERVICE_ACCOUNT: outputs.ciServiceAccountEmail,
    PREVIEW_SERVICE_ACCOUNT: outputs.previewServiceAccountEmail,
    PULUMI_BACKEND_URL: `gs://${stack.bucket}`,
    PULUMI_IMAGES_BACKEND_URL: `gs://${images.bucket}`,
    ...(driftAccount !== undefined && { DRIFT_SERVICE_ACCOUNT: driftAccount }),
  };
}

import { execa } from "execa";
import { z } from "zod";
import type { Problem } from "../../problems/problem.ts";
import { configRemove, settingKey } from "../../problems/setting-commands.ts";
import { ONE_TIME } from "../../settings/one-time.ts";

/** What `pulumi config --json` prints, the defaults of Pulumi.yaml included; taken from Pulumi 3.274. */
const printed = z.record(z.string(), z.object({ value: z.string().optional() }));

/** The settings of a stack, as the pulumi command reads and writes them in the stack's file. */
export class StackConfig {
  private readonly stack: string;
  private readonly values: z.infer<typeof printed>;

  private constructor(stack: string, values: z.infer<typeof printed>) {
    this.stack = stack;
    this.values = values;
  }

  /** @throws what pulumi says where there is no such stack, or no login at its state. */
  static async read(stack: string): Promise<StackConfig> {
    const { stdout } = await execa("pulumi", ["config", "--json", "--non-interactive", "--stack", stack]);
    return new StackConfig(stack, printed.parse(JSON.parse(stdout)));
  }

  /** A setting of this project as text; empty where it is not set. */
  text(name: string): string {
    return this.values[settingKey(name)]?.value ?? "";
  }

  /** What of the stack's file would be released with it: settings that are for one run. */
  leftovers(): Problem[] {
    return Object.entries(ONE_TIME)
      .filter(([name, none]) => ![none, ""].includes(this.text(name)))
      .map(([name]) => ({
        where: settingKey(name),
        found: JSON.stringify(this.text(name)),
        allowed: "nothing in the stack's file: it is for one run",
        fix: `${configRemove(name)} --stack ${this.stack}`,
      }));
  }

  async set(name: string, value: string): Promise<void> {
    await this.config("set", settingKey(name), value);
  }

  /** Puts a setting back as it was read; one that was not set goes. */
  async restore(name: string): Promise<void> {
    const before = this.text(name);
    if (["", ONE_TIME[name]].includes(before)) await this.config("rm", settingKey(name));
    else await this.set(name, before);
  }

  private async config(...args: string[]): Promise<void> {
    // In a process group of its own: a Ctrl-C does not come between a setting and its return.
    const words = ["config", ...args, "--stack", this.stack, "--non-interactive"];
    await execa("pulumi", words, { detached: true });
  }
}

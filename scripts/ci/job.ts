import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";

/** A variable of the step. */
export function ofJob(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this command runs in a step of a workflow`);
  return value;
}

/** Sets an output of the step; the text can have several lines: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#multiline-strings */
export function setOutput(name: string, text: string): void {
  const end = randomUUID();
  appendFileSync(ofJob("GITHUB_OUTPUT"), `${name}<<${end}\n${text}\n${end}\n`);
}

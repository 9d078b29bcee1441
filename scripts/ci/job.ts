import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";

/** A variable that GitHub sets for every step. */
export function ofJob(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this command is for a step of a workflow`);
  return value;
}

/** Gives a text of any lines to later steps and jobs: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#multiline-strings */
export function setOutput(name: string, text: string): void {
  const end = randomUUID();
  appendFileSync(ofJob("GITHUB_OUTPUT"), `${name}<<${end}\n${text}\n${end}\n`);
}

/** Shows a text in Markdown on the run's page. */
export function addToSummary(text: string): void {
  appendFileSync(ofJob("GITHUB_STEP_SUMMARY"), `${text}\n`);
}

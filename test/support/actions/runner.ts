import { appendFileSync, readFileSync } from "node:fs";
import { decodeJwt } from "jose/jwt/decode";
import { z } from "zod";

/** What the stand-ins know beside what a runner tells an action; test/support/workflows.ts writes it. */
const run = z.object({
  /** Tokens by job, each with the permissions that the job declares: act gives one to all. */
  tokens: z.record(z.string(), z.string()),
  /** Address of the emulated APIs. */
  google: z.string(),
  /** How long an access token of Google's lives, in seconds. */
  tokenSeconds: z.number(),
  /** A folder of the run, which its jobs share. */
  folder: z.string(),
  /** Whether GitHub takes attestations. */
  attests: z.boolean(),
  /** Node.js as `.nvmrc` says. */
  node: z.string(),
});

/** A variable of the runner's. */
export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** What the workflow gives the action. */
export const input = (name: string): string => process.env[`INPUT_${name.toUpperCase()}`] ?? "";

export const standIn = (): z.infer<typeof run> =>
  run.parse(JSON.parse(readFileSync(variable("STAND_IN_RUN"), "utf8")));

/** The token that GitHub would give to this job. */
export function jobToken(): string {
  const token = standIn().tokens[variable("GITHUB_JOB")];
  if (token === undefined) throw new Error(`the job ${variable("GITHUB_JOB")} has no token`);
  return token;
}

/** Fails unless the job's token has this permission. */
export function requirePermission(name: string): void {
  const { permissions = {} } = decodeJwt<{ permissions?: Record<string, string> }>(jobToken());
  if (permissions[name] !== "write")
    throw new Error(`the job ${variable("GITHUB_JOB")} has not ${name}: write`);
}

/** Gives the step an output. */
export function setOutput(name: string, value: string): void {
  appendFileSync(variable("GITHUB_OUTPUT"), `${name}=${value}\n`);
}

/** Sets a variable for the next steps. */
export function exportVariable(name: string, value: string): void {
  appendFileSync(variable("GITHUB_ENV"), `${name}=${value}\n`);
}

/** Puts a folder first on the next steps' PATH. */
export function addPath(folder: string): void {
  appendFileSync(variable("GITHUB_PATH"), `${folder}\n`);
}

import { appendFileSync, readFileSync } from "node:fs";
import { decodeJwt } from "jose/jwt/decode";
import { z } from "zod";

/** Data of a run, which test/support/workflows.ts writes. */
const run = z.object({
  /** A token for each job with the job's permissions, because act has one for all jobs. */
  tokens: z.record(z.string(), z.string()),
  /** Address of the emulated APIs. */
  google: z.string(),
  /** Where Cloud Storage is, by service account: the Go client sends no token to an emulator. */
  storage: z.record(z.string(), z.string()),
  /** How long an access token of Google's lives, in seconds. */
  tokenSeconds: z.number(),
  /** A folder that the run's jobs share. */
  folder: z.string(),
  /** Whether GitHub accepts attestations. */
  attests: z.boolean(),
  /** Path of Node.js. */
  node: z.string(),
});

/** A variable of the runner. */
export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** An input of the action. */
export const input = (name: string): string => process.env[`INPUT_${name.toUpperCase()}`] ?? "";

export const standIn = (): z.infer<typeof run> =>
  run.parse(JSON.parse(readFileSync(variable("STAND_IN_RUN"), "utf8")));

/** The token that GitHub would give to this job. */
export function jobToken(): string {
  const token = standIn().tokens[variable("GITHUB_JOB")];
  if (token === undefined) throw new Error(`the job ${variable("GITHUB_JOB")} has no token`);
  return token;
}

/** @throws unless the job's token has this permission. */
export function requirePermission(name: string): void {
  const { permissions = {} } = decodeJwt<{ permissions?: Record<string, string> }>(jobToken());
  if (permissions[name] !== "write")
    throw new Error(`the job ${variable("GITHUB_JOB")} has not ${name}: write`);
}

/** Sets an output of the step. */
export function setOutput(name: string, value: string): void {
  appendFileSync(variable("GITHUB_OUTPUT"), `${name}=${value}\n`);
}

/** Sets a variable for the next steps. */
export function exportVariable(name: string, value: string): void {
  appendFileSync(variable("GITHUB_ENV"), `${name}=${value}\n`);
}

/** Prepends a folder to PATH for the next steps. */
export function addPath(folder: string): void {
  appendFileSync(variable("GITHUB_PATH"), `${folder}\n`);
}

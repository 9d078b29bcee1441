import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { calculateJwkThumbprint, exportJWK, type JSONWebKeySet, SignJWT } from "jose";
import { GITHUB_ISSUER } from "../../../components/ci/github-claims.ts";
import { sandboxPaths } from "../../lib/paths.ts";

/** Lifetime of GitHub's tokens, in seconds. */
const TOKEN_SECONDS = 300;

/** Of which run of which workflow a token tells; everything has a default. */
export interface GithubRun {
  /** `owner/name`. Default: `HyperionWave-AI/dev-squad`. */
  repository?: string;
  /** Numeric ids, as strings. */
  repositoryId?: string;
  ownerId?: string;
  /** Default: `push`. */
  eventName?: string;
  /** Default: `refs/heads/main`; for `pull_request` `refs/pull/7/merge`. */
  ref?: string;
  /** File name of the workflow. Default: `publish.yml`. */
  workflow?: string;
  environment?: string;
  actor?: string;
  /** `aud`; default as GitHub's: the URL of the repository's owner. */
  audience?: string;
  /** Default: GitHub's. */
  issuer?: string;
  /** From now on, default 300 as GitHub's; negative for a token that has expired. */
  ttlSeconds?: number;
  /** Claims in place of those that follow from the rest. */
  claims?: Record<string, unknown>;
}

/** The key of the emulated issuer, made at its first use (0600). */
async function signingKey(sandboxDir: string): Promise<KeyObject> {
  const file = sandboxPaths(sandboxDir).githubKey;
  if (!existsSync(file)) await makeKey(file);
  return createPrivateKey(await readFile(file));
}

/** Whoever comes first makes the key; it appears whole or not at all. */
async function makeKey(file: string): Promise<void> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const draft = `${file}.${randomUUID()}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(draft, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(draft);
  }
}

/** The issuer's public keys. */
export async function githubKeys(sandboxDir: string): Promise<JSONWebKeySet> {
  const jwk = await exportJWK(createPublicKey(await signingKey(sandboxDir)));
  return { keys: [{ ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "RS256", use: "sig" }] };
}

function subject(repository: string, event: string, ref: string, environment: string | undefined): string {
  if (environment !== undefined) return `repo:${repository}:environment:${environment}`;
  return event === "pull_request" ? `repo:${repository}:pull_request` : `repo:${repository}:ref:${ref}`;
}

/** The claims of https://docs.github.com/actions/reference/security/oidc, without the times. */
function claimsOf(run: GithubRun): Record<string, unknown> {
  const repository = run.repository ?? "HyperionWave-AI/dev-squad";
  const [owner = ""] = repository.split("/");
  const event = run.eventName ?? "push";
  // `pull_request_target` runs on the branch that the request would be merged into.
  const ref = run.ref ?? (event === "pull_request" ? "refs/pull/7/merge" : "refs/heads/main");
  const workflow = run.workflow ?? "publish.yml";
  const sha = "abc123f00000000000000000000000000000000a";
  const fromFork = event.startsWith("pull_request");
  return {
    jti: randomUUID(),
    sub: subject(repository, event, ref, run.environment),
    aud: run.audience ?? `https://github.com/${owner}`,
    iss: run.issuer ?? GITHUB_ISSUER,
    ref,
    ref_type: ref.startsWith("refs/tags/") ? "tag" : "branch",
    ref_protected: ref === "refs/heads/main" ? "true" : "false",
    sha,
    repository,
    repository_id: run.repositoryId ?? "901234567",
    repository_owner: owner,
    repository_owner_id: run.ownerId ?? "123456789",
    repository_visibility: "public",
    event_name: event,
    head_ref: fromFork ? "feature" : "",
    base_ref: fromFork ? "main" : "",
    actor: run.actor ?? "dana",
    actor_id: "4242",
    run_id: "17000000001",
    run_number: "12",
    run_attempt: "1",
    runner_environment: "github-hosted",
    workflow: workflow.replace(/\.ya?ml$/, ""),
    workflow_ref: `${repository}/.github/workflows/${workflow}@${ref}`,
    workflow_sha: sha,
    job_workflow_ref: `${repository}/.github/workflows/${workflow}@${ref}`,
    job_workflow_sha: sha,
    ...(run.environment !== undefined && { environment: run.environment }),
    ...run.claims,
  };
}

/** Signs a token as GitHub gives one to a run of a workflow; no server needs to run. */
export async function mintGithubToken(sandboxDir: string, run: GithubRun = {}): Promise<string> {
  return signForGithub(sandboxDir, claimsOf(run), run.ttlSeconds ?? TOKEN_SECONDS);
}

/** Signs claims with the emulated GitHub's key. */
export async function signForGithub(
  sandboxDir: string,
  claims: Record<string, unknown>,
  ttlSeconds: number,
): Promise<string> {
  const key = await signingKey(sandboxDir);
  const now = Math.floor(Date.now() / 1000);
  const times = { iat: now, nbf: now - 600, exp: now + ttlSeconds };
  const jwk = await exportJWK(createPublicKey(key));
  return new SignJWT({ ...times, ...claims })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: await calculateJwkThumbprint(jwk) })
    .sign(key);
}

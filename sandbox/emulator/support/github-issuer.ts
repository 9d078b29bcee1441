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

/** The workflow run that a token describes; every field has a default. */
export interface GithubRun {
  /** `owner/name`. Default: `HyperionWave-AI/dev-squad`. */
  repository?: string;
  /** A number, as a string. */
  repositoryId?: string;
  ownerId?: string;
  /** Default: `push`. */
  eventName?: string;
  /** Default: `refs/heads/main`; for `pull_request` `refs/pull/7/merge`. */
  ref?: string;
  /** File name of the workflow. Default: `publish.yml`. */
  workflow?: string;
  environment?: string | undefined;
  actor?: string;
  /** `aud`. Default, as at GitHub: the URL of the repository's owner. */
  audience?: string | undefined;
  issuer?: string;
  /** Default: 300, as at GitHub. A negative number makes an expired token. */
  ttlSeconds?: number;
}

/** The issuer's key, created on first use (mode 0600). */
async function signingKey(sandboxDir: string): Promise<KeyObject> {
  const file = sandboxPaths(sandboxDir).githubKey;
  if (!existsSync(file)) await makeKey(file);
  return createPrivateKey(await readFile(file));
}

/** Creates the key atomically: `link` fails if another process has created it. */
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

export async function githubKeys(sandboxDir: string): Promise<JSONWebKeySet> {
  const jwk = await exportJWK(createPublicKey(await signingKey(sandboxDir)));
  return { keys: [{ ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "RS256", use: "sig" }] };
}

function subject(repository: string, event: string, ref: string, environment: string | undefined): string {
  if (environment !== undefined) return `repo:${repository}:environment:${environment}`;
  return event === "pull_request" ? `repo:${repository}:pull_request` : `repo:${repository}:ref:${ref}`;
}

/** The claims of https://docs.github.com/actions/reference/security/oidc, except the times. */
function claimsOf(run: GithubRun): Record<string, unknown> {
  const repository = run.repository ?? "HyperionWave-AI/dev-squad";
  const [owner = ""] = repository.split("/");
  const event = run.eventName ?? "push";
  // `pull_request_target` runs on the base branch.
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
  };
}

/** Signs an OIDC token of a workflow run. Needs the sandbox's files only, no running service. */
export async function mintGithubToken(sandboxDir: string, run: GithubRun = {}): Promise<string> {
  return signForGithub(sandboxDir, claimsOf(run), run.ttlSeconds ?? TOKEN_SECONDS);
}

/** Signs claims with the issuer's key. */
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

import { z } from "zod";
import { type GoogleApi, oauth, organizationPolicy, serviceUsage } from "../../google/apis.ts";
import {
  callGoogle,
  describeAnswer,
  type GoogleAnswer,
  type GoogleCall,
  isApiDisabled,
} from "../../google/client.ts";
import { ownAccessToken } from "../../google/own-login.ts";
import { retryWhile } from "../../google/retry.ts";
import { PermissionMissing } from "./step.ts";

/** Waits between tries while an enabled API, a new account or a new binding spreads. */
const SPREADING_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];

const policyAnswer = z.looseObject({
  etag: z.string().optional(),
  version: z.number().optional(),
  bindings: z
    .array(z.looseObject({ role: z.string(), members: z.array(z.string()).default([]) }))
    .default([]),
});

/** An IAM policy, with its conditions. */
export type Policy = z.infer<typeof policyAnswer>;

/** Google's APIs, with the caller's login. */
export class Google {
  private readonly project: string;
  private readonly waits: readonly number[];

  /** @param waits between tries, in milliseconds. */
  constructor(project: string, waits: readonly number[] = SPREADING_MS) {
    this.project = project;
    this.waits = waits;
  }

  /** The principal of the login; undefined if the token does not name it. */
  async caller(): Promise<string | undefined> {
    const token = encodeURIComponent(await ownAccessToken());
    const { body } = await this.send(oauth, `tokeninfo?access_token=${token}`);
    const email = z.object({ email: z.string() }).safeParse(body).data?.email;
    if (email === undefined) return undefined;
    return `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;
  }

  /** Reads a resource; undefined if it does not exist or its API is not enabled. */
  async read(api: GoogleApi, path: string): Promise<unknown> {
    const answer = await this.send(api, path);
    if (answer.status === 200) return answer.body;
    if (isAbsent(answer)) return undefined;
    throw failure(answer);
  }

  /** Changes a resource. Tries again while an API or an account that it needs spreads. */
  async write(api: GoogleApi, method: "POST" | "PUT" | "PATCH", path: string, body: object): Promise<void> {
    const answer = await retryWhile(this.waits, isSpreading, () => this.send(api, path, { method, body }));
    if (answer.status >= 300) throw failure(answer);
  }

  /**
   * Reads, changes and writes a policy. Tries again after a concurrent change. Writes only a policy that it could read: an
   * empty one has no etag, so it would replace all bindings.
   */
  async changePolicy(resource: Guarded, change: (policy: Policy) => Policy): Promise<void> {
    for (let tries = 1; ; tries++) {
      const before = await this.existingPolicyOf(resource);
      const after = { ...change(before), version: 3 };
      const { api, setMethod, setPath } = resource;
      try {
        await this.write(api, setMethod, setPath, resource.wrap(after));
        return;
      } catch (error) {
        if (!(error instanceof GoogleError && [409, 412].includes(error.status)) || tries === 5) throw error;
      }
    }
  }

  /** The policy of a resource, for inspection only; empty if the resource does not exist. */
  async policyOf(resource: Guarded): Promise<Policy> {
    const answer = await this.readPolicy(resource);
    if (isAbsent(answer)) return policyAnswer.parse({});
    if (answer.status !== 200) throw failure(answer);
    return policyAnswer.parse(answer.body);
  }

  /** The policy of a resource. Reads again while the resource or its API spreads. */
  private async existingPolicyOf(resource: Guarded): Promise<Policy> {
    const answer = await retryWhile(this.waits, isAbsent, () => this.readPolicy(resource));
    if (answer.status !== 200) throw failure(answer);
    return policyAnswer.parse(answer.body);
  }

  private readPolicy({ api, getMethod, getPath }: Guarded): Promise<GoogleAnswer> {
    const body = { options: { requestedPolicyVersion: 3 } };
    return this.send(api, getPath, getMethod === "POST" ? { method: "POST", body } : {});
  }

  /** The project's number, from an API that every project has enabled. */
  async projectNumber(): Promise<string> {
    const path = `v1/projects/${this.project}/services/serviceusage.googleapis.com`;
    const { name } = z.object({ name: z.string() }).parse(await this.read(serviceUsage, path));
    return name.split("/")[1] ?? "";
  }

  private send(api: GoogleApi, path: string, call: GoogleCall = {}): Promise<GoogleAnswer> {
    // This API refuses a person's login without a quota project.
    const quota = api === organizationPolicy && { quotaProject: this.project };
    return callGoogle(api, path, { ...call, ...quota, timeoutMs: 30_000 });
  }
}

/** How to read and set the IAM policy of a resource. */
export interface Guarded {
  api: GoogleApi;
  getMethod: "GET" | "POST";
  getPath: string;
  setMethod: "POST" | "PUT";
  setPath: string;
  wrap(policy: Policy): object;
}

class GoogleError extends Error {
  readonly status: number;
  override readonly name = "GoogleError";

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function failure(answer: GoogleAnswer): Error {
  if (answer.status === 403 && !isApiDisabled(answer))
    return new PermissionMissing(`Google answered ${describeAnswer(answer)}`);
  return new GoogleError(answer.status, `Google answered ${describeAnswer(answer)}${explanation(answer)}`);
}

/** Names the organization policy; Google itself reports only a failed precondition. */
function explanation({ body }: GoogleAnswer): string {
  const text = JSON.stringify(body ?? "");
  const constraint = /constraints\/[\w.]+|customConstraints\/[\w.]+/.exec(text)?.[0];
  if (constraint === undefined && !/org(anization)? policy/i.test(text)) return "";
  return `\nThe organization policy ${constraint ?? "that this names"} refuses it: ask a person with roles/orgpolicy.policyAdmin for an exception on this project.`;
}

/** The resource does not exist, or its API is not enabled. */
function isAbsent(answer: GoogleAnswer): boolean {
  return answer.status === 404 || isApiDisabled(answer);
}

function isSpreading(answer: GoogleAnswer): boolean {
  return (
    isApiDisabled(answer) || (answer.status === 400 && /does not exist/.test(JSON.stringify(answer.body)))
  );
}

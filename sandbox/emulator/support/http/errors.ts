/** Google's canonical codes: the HTTP status, and google.rpc.Code, which operations carry. */
const CODES = {
  INVALID_ARGUMENT: { http: 400, rpc: 3 },
  FAILED_PRECONDITION: { http: 400, rpc: 9 },
  UNAUTHENTICATED: { http: 401, rpc: 16 },
  PERMISSION_DENIED: { http: 403, rpc: 7 },
  NOT_FOUND: { http: 404, rpc: 5 },
  ALREADY_EXISTS: { http: 409, rpc: 6 },
  ABORTED: { http: 409, rpc: 10 },
  RESOURCE_EXHAUSTED: { http: 429, rpc: 8 },
  INTERNAL: { http: 500, rpc: 13 },
  UNIMPLEMENTED: { http: 501, rpc: 12 },
  UNAVAILABLE: { http: 503, rpc: 14 },
} as const;

export type Status = keyof typeof CODES;

/** An error that is an answer to the client. */
export abstract class AnswerError extends Error {
  abstract readonly httpStatus: number;
  /** The body. */
  abstract toJSON(): object;

  toResponse(): Response {
    return Response.json(this.toJSON(), { status: this.httpStatus });
  }
}

/** An error answer of a Google API. */
export class ApiError extends AnswerError {
  readonly status: Status;
  readonly details: object[];
  /** The reason in the older format, such as `notFound`, which some APIs add. */
  readonly reason: string | undefined;
  override readonly name = "ApiError";

  /** @param details messages of google.rpc: ErrorInfo, BadRequest, ... */
  constructor(status: Status, message: string, details: object[] = [], reason?: string) {
    super(message);
    this.status = status;
    this.details = details;
    this.reason = reason;
  }

  get httpStatus(): number {
    return CODES[this.status].http;
  }

  get rpcCode(): number {
    return CODES[this.status].rpc;
  }

  /** The body: `{"error":{"code":404,"message":...,"status":"NOT_FOUND"}}`. */
  toJSON(): object {
    return {
      error: {
        code: this.httpStatus,
        message: this.message,
        status: this.status,
        ...(this.reason !== undefined && {
          errors: [{ message: this.message, domain: "global", reason: this.reason }],
        }),
        ...(this.details.length > 0 && { details: this.details }),
      },
    };
  }
}

/** A message of google.rpc, for an error's details. */
export function detail(type: string, fields: object): object {
  return { "@type": `type.googleapis.com/google.rpc.${type}`, ...fields };
}

/** 400: a value is not allowed. The details name the field. */
export function invalidArgument(message: string, field?: string): ApiError {
  const fieldViolations = [{ field, description: message }];
  return new ApiError(
    "INVALID_ARGUMENT",
    message,
    field === undefined ? [] : [detail("BadRequest", { fieldViolations })],
  );
}

export function notFound(message = "Requested entity was not found."): ApiError {
  return new ApiError("NOT_FOUND", message);
}

/** 401: the access token is missing or invalid. */
export function unauthenticated(reason: "ACCESS_TOKEN_EXPIRED" | "CREDENTIALS_MISSING"): ApiError {
  const what =
    reason === "CREDENTIALS_MISSING"
      ? "Request is missing required authentication credential."
      : "Request had invalid authentication credentials.";
  return new ApiError(
    "UNAUTHENTICATED",
    `${what} Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.`,
    [detail("ErrorInfo", { reason, domain: "googleapis.com" })],
  );
}

/** 403: the caller lacks a permission. `resource` is relative: `projects/...`. */
export function permissionDenied(service: string, permission: string, resource: string): ApiError {
  // IAM does not name the account.
  const where = service.startsWith("iam") ? "" : ` '//${service}/${resource}'`;
  const metadata = { permission, resource };
  return new ApiError(
    "PERMISSION_DENIED",
    `Permission '${permission}' denied on resource${where} (or it may not exist).`,
    [detail("ErrorInfo", { reason: "IAM_PERMISSION_DENIED", domain: service, metadata })],
  );
}

/**
 * 403: the API requires a quota project from a person's own login.
 * https://docs.cloud.google.com/docs/authentication/troubleshoot-adc#user-creds-client-based
 */
export function quotaProjectMissing(service: string): ApiError {
  // The Cloud SDK's own project, the default consumer of such a login.
  const metadata = { service, consumer: "projects/764086051850" };
  return new ApiError(
    "PERMISSION_DENIED",
    `Your application is authenticating by using local Application Default Credentials. The ${service} API requires a quota project, which is not set by default. To learn how to set your quota project, see https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds .`,
    [detail("ErrorInfo", { reason: "SERVICE_DISABLED", domain: "googleapis.com", metadata })],
  );
}

/** 403: the quota project does not exist, or the caller has no permission to use it. */
export function quotaProjectDenied(project: string): ApiError {
  const metadata = { consumer: `projects/${project}` };
  return new ApiError(
    "PERMISSION_DENIED",
    `Caller does not have required permission to use project ${project}. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission, by visiting https://console.developers.google.com/iam-admin/iam/project?project=${project} and then retry. Propagation of the new permission may take a few minutes.`,
    [detail("ErrorInfo", { reason: "USER_PROJECT_DENIED", domain: "googleapis.com", metadata })],
  );
}

/** 403: the API is not enabled in the project. */
export function serviceDisabled(service: string, title: string, projectNumber: string): ApiError {
  const activationUrl = `https://console.developers.google.com/apis/api/${service}/overview?project=${projectNumber}`;
  const message = `${title} has not been used in project ${projectNumber} before or it is disabled. Enable it by visiting ${activationUrl} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`;
  const metadata = {
    service,
    serviceTitle: title,
    consumer: `projects/${projectNumber}`,
    containerInfo: projectNumber,
    activationUrl,
  };
  const links = [{ description: "Google developers console API activation", url: activationUrl }];
  return new ApiError("PERMISSION_DENIED", message, [
    detail("ErrorInfo", { reason: "SERVICE_DISABLED", domain: "googleapis.com", metadata }),
    detail("LocalizedMessage", { locale: "en-US", message }),
    detail("Help", { links }),
  ]);
}

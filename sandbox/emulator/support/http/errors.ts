/** Google's canonical codes that the sandbox answers with, and the HTTP status of each. */
const HTTP_STATUS = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
} as const;

/** A canonical code, the `status` of an error's body. */
export type Status = keyof typeof HTTP_STATUS;

/** Numbers of the canonical codes, as operations carry them (google.rpc.Code). */
export const RPC_CODE: Record<Status, number> = {
  INVALID_ARGUMENT: 3,
  FAILED_PRECONDITION: 9,
  UNAUTHENTICATED: 16,
  PERMISSION_DENIED: 7,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  ABORTED: 10,
  RESOURCE_EXHAUSTED: 8,
  INTERNAL: 13,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
};

/** An answer that is an error, in the shape of all Google APIs. */
export class ApiError extends Error {
  readonly status: Status;
  readonly details: object[];
  /** The older form's reason, such as `notFound`, which some APIs add. */
  readonly reason: string | undefined;
  override readonly name = "ApiError";

  /** `details` are the typed messages of google.rpc (ErrorInfo, BadRequest, ...). */
  constructor(status: Status, message: string, details: object[] = [], reason?: string) {
    super(message);
    this.status = status;
    this.details = details;
    this.reason = reason;
  }

  get httpStatus(): number {
    return HTTP_STATUS[this.status];
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

/** 400 of a value that is not allowed; `field` names it in the details. */
export function invalidArgument(message: string, field?: string): ApiError {
  return new ApiError(
    "INVALID_ARGUMENT",
    message,
    field === undefined
      ? []
      : [
          {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            fieldViolations: [{ field, description: message }],
          },
        ],
  );
}

/** 404 of a resource. */
export function notFound(message = "Requested entity was not found."): ApiError {
  return new ApiError("NOT_FOUND", message);
}

/** 401 of a call without a good access token. */
export function unauthenticated(reason: "ACCESS_TOKEN_EXPIRED" | "CREDENTIALS_MISSING"): ApiError {
  const what =
    reason === "CREDENTIALS_MISSING"
      ? "Request is missing required authentication credential."
      : "Request had invalid authentication credentials.";
  return new ApiError(
    "UNAUTHENTICATED",
    `${what} Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.`,
    [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com" }],
  );
}

/** 403 of a caller without a permission; `resource` is relative (`projects/...`). */
export function permissionDenied(service: string, permission: string, resource: string): ApiError {
  // IAM keeps to itself which account it was.
  const where = service.startsWith("iam") ? "" : ` '//${service}/${resource}'`;
  return new ApiError(
    "PERMISSION_DENIED",
    `Permission '${permission}' denied on resource${where} (or it may not exist).`,
    [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "IAM_PERMISSION_DENIED",
        domain: service,
        metadata: { permission, resource },
      },
    ],
  );
}

/**
 * A person's own login at an API that counts calls for a project, and none was named.
 * https://docs.cloud.google.com/docs/authentication/troubleshoot-adc#user-creds-client-based
 */
export function quotaProjectMissing(service: string): ApiError {
  return new ApiError(
    "PERMISSION_DENIED",
    `Your application is authenticating by using local Application Default Credentials. The ${service} API requires a quota project, which is not set by default. To learn how to set your quota project, see https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds .`,
    [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "SERVICE_DISABLED",
        domain: "googleapis.com",
        // The project of the Cloud SDK, for which such a login counts by itself.
        metadata: { service, consumer: "projects/764086051850" },
      },
    ],
  );
}

/** 403 of an API that is not enabled in the project. */
export function serviceDisabled(service: string, title: string, projectNumber: string): ApiError {
  const url = `https://console.developers.google.com/apis/api/${service}/overview?project=${projectNumber}`;
  const message = `${title} has not been used in project ${projectNumber} before or it is disabled. Enable it by visiting ${url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`;
  return new ApiError("PERMISSION_DENIED", message, [
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "SERVICE_DISABLED",
      domain: "googleapis.com",
      metadata: {
        service,
        serviceTitle: title,
        consumer: `projects/${projectNumber}`,
        containerInfo: projectNumber,
        activationUrl: url,
      },
    },
    { "@type": "type.googleapis.com/google.rpc.LocalizedMessage", locale: "en-US", message },
    {
      "@type": "type.googleapis.com/google.rpc.Help",
      links: [{ description: "Google developers console API activation", url }],
    },
  ]);
}

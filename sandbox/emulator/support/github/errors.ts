/** An error answer of GitHub's REST API. */
export class GithubError extends Error {
  readonly status: number;
  override readonly name = "GithubError";

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** GitHub's answer for what does not exist and for what the caller has no permission to see. */
export const missing = (): GithubError => new GithubError(404, "Not Found");

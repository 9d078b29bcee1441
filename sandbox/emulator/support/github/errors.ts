/** An answer that is an error, in the shape of GitHub's REST API. */
export class GithubError extends Error {
  readonly status: number;
  override readonly name = "GithubError";

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What GitHub answers for what does not exist, and for what the caller may not know of. */
export const missing = (): GithubError => new GithubError(404, "Not Found");

import { AnswerError } from "../http/errors.ts";

/** An error answer of GitHub's REST API. */
export class GithubError extends AnswerError {
  readonly httpStatus: number;

  constructor(status: number, message: string) {
    super(message);
    this.httpStatus = status;
  }

  toJSON(): object {
    const { message, httpStatus } = this;
    return { message, documentation_url: "https://docs.github.com/rest", status: String(httpStatus) };
  }
}

/** GitHub's answer for what does not exist and for what the caller has no permission to see. */
export const missing = (): GithubError => new GithubError(404, "Not Found");

import { execa } from "execa";

/** A client of GitHub's API. */
export type GithubClient = ReturnType<typeof import("@actions/github").getOctokit>;

/** The token of the caller's login at GitHub; undefined without a login. */
export async function githubToken(): Promise<string | undefined> {
  const token = process.env["GH_TOKEN"] ?? process.env["GITHUB_TOKEN"];
  if (token !== undefined && token !== "") return token;
  const { stdout, failed } = await execa("gh", ["auth", "token"], { reject: false });
  return failed || stdout === "" ? undefined : stdout.trim();
}

/** A client of github.com's API, of an enterprise's own GitHub, or of the one that GITHUB_API_URL names. */
export async function githubClient(token: string, host = "github.com"): Promise<GithubClient> {
  const { getOctokit } = await import("@actions/github");
  const baseUrl =
    process.env["GITHUB_API_URL"] ??
    (host === "github.com" ? "https://api.github.com" : `https://${host}/api/v3`);
  return getOctokit(token, { baseUrl });
}

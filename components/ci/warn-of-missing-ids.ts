import * as pulumi from "@pulumi/pulumi";
import type { GithubTrust } from "./github-claims.ts";
import { configSet } from "../../problems/setting-commands.ts";

/** Warns if the repository is identified by its name alone. */
export function warnOfMissingIds({ repository, ids }: GithubTrust): void {
  if (ids !== undefined) return;
  const [owner = ""] = repository.split("/");
  void pulumi.log.warn(
    `The GitHub repository ${repository} is identified by its name alone: anyone who registers the name later gets CI's access. ` +
      `Set the ids, which GitHub never reuses: ${configSet("githubRepositoryId", `"$(gh api repos/${repository} --jq .id)"`)}; ` +
      configSet("githubOwnerId", `"$(gh api users/${owner} --jq .id)"`),
  );
}

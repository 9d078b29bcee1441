import * as pulumi from "@pulumi/pulumi";
import type { GithubTrust } from "./github-claims.ts";
import { configSet } from "../../problems/setting-commands.ts";

/** Asks for the ids where GitHub's repository is known by its name alone. */
export function warnOfMissingIds({ repository, ids }: GithubTrust): void {
  if (ids !== undefined) return;
  const [owner = ""] = repository.split("/");
  void pulumi.log.warn(
    `GitHub's repository ${repository} is known by its name alone: whoever registers the name after it was given up gets the rights of CI. ` +
      `Name the ids, which are never given again: ${configSet("githubRepositoryId", `"$(gh api repos/${repository} --jq .id)"`)}; ` +
      configSet("githubOwnerId", `"$(gh api users/${owner} --jq .id)"`),
  );
}

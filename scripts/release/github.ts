import { execa } from "execa";
import { LATEST, prefixedTag } from "../../components/images/tags/names.ts";
import { floatingVersion, startedVersions } from "../../components/images/tags/versions.ts";
import { messageOf } from "../../problems/wording.ts";
import { githubRelease, type VersionFacts, WITHDRAWN_MARKER, withdrawnNotice } from "../ci/github-release.ts";
import { versionFacts } from "../ci/version-facts.ts";
import { githubClient, type GithubClient, githubToken } from "../lib/github.ts";
import type { StackFile } from "./stack-file.ts";

/** What happened before: `none` if only the release at GitHub is requested. */
export type Action = "publish" | "rollback" | "none";

/**
 * Makes or updates the release of a published version at GitHub, marks the releases of withdrawn versions, and sets the latest
 * release. Never makes a tag: a pushed tag starts publish.yml.
 *
 * @param again the command that repeats this.
 * @returns the outcome for the caller. An error of GitHub does not fail the release of the images.
 */
export async function releaseAtGithub(
  version: string,
  { settings }: StackFile,
  folder: string,
  action: Action,
  again: string,
): Promise<string> {
  try {
    const repository = await remote(folder);
    if (repository === undefined) return "This folder has no remote at GitHub, so no release was made there.";
    const token = await githubToken();
    if (token === undefined)
      return `There is no login at GitHub, so no release was made there. To make it: gh auth login && ${again}`;
    process.env["GH_TOKEN"] ??= token;
    const { rest } = await githubClient(token, new URL(repository).host);
    return await syncReleases(rest, await versionFacts(settings, version, repository), action);
  } catch (error) {
    return `The release at GitHub is missing or out of date: ${messageOf(error)}\nTo try again: ${again}`;
  }
}

/**
 * Does this with the tags of the registry. A rollback does not change the text of the version's release. publish.yml has a copy
 * of the first half, because its job runs no repository code.
 */
export async function syncReleases(
  api: GithubClient["rest"],
  facts: VersionFacts,
  action: Action,
): Promise<string> {
  const { version, registry } = facts;
  const [owner = "", repo = ""] = new URL(facts.repository).pathname.slice(1).split("/");
  const place = { owner, repo };
  const isTag = async (tag: string): Promise<boolean> =>
    (await found(api.git.getRef({ ...place, ref: `tags/${tag}` }))) !== undefined;
  const releaseOf = async (tag: string) => (await found(api.repos.getReleaseByTag({ ...place, tag })))?.data;

  const tag_name = prefixedTag(version);
  const before = await releaseOf(tag_name);
  let result: string;
  if (!(await isTag(tag_name))) {
    const [at, remark] =
      action === "publish" ? ["", ""] : [" COMMIT", "   # COMMIT: the commit that was released"];
    result = `There is no tag ${tag_name} at GitHub, so no release was made there. To make both: git tag ${tag_name}${at} && git push origin ${tag_name}${remark}`;
  } else if (action === "rollback" && before !== undefined) {
    result = `The release at GitHub: ${before.html_url}`;
  } else {
    const { body, prerelease, previous } = githubRelease(facts);
    const since = previous !== "" && (await isTag(previous)) ? { previous_tag_name: previous } : {};
    const notes = await api.repos.generateReleaseNotes({ ...place, tag_name, ...since });
    const text = { tag_name, name: tag_name, body: `${body}\n\n${notes.data.body}` };
    // The latest release is set below.
    const release = { ...place, ...text, prerelease, make_latest: "false" } as const;
    const { data } =
      before === undefined
        ? await api.repos.createRelease(release)
        : await api.repos.updateRelease({ ...release, release_id: before.id });
    result = `The release at GitHub: ${data.html_url}`;
  }

  const versions = startedVersions(registry);
  for (const { version: other } of versions) {
    const notice = withdrawnNotice(registry, other);
    const release = notice === undefined ? undefined : await releaseOf(prefixedTag(other));
    if (release === undefined || (release.body ?? "").startsWith(WITHDRAWN_MARKER)) continue;
    const body = `${notice ?? ""}\n\n${release.body ?? ""}`;
    await api.repos.updateRelease({ ...place, release_id: release.id, body, make_latest: "false" });
  }
  const latest = floatingVersion(LATEST, versions);
  const release = latest === undefined ? undefined : await releaseOf(prefixedTag(latest.version));
  if (release !== undefined)
    await api.repos.updateRelease({ ...place, release_id: release.id, make_latest: "true" });
  return result;
}

/** The answer; undefined for a 404. */
async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && "status" in error && error.status === 404) return undefined;
    throw error;
  }
}

/** The GitHub repository that a folder is a clone of: `https://github.com/OWNER/NAME`. */
async function remote(folder: string): Promise<string | undefined> {
  const { stdout } = await execa("git", ["remote", "get-url", "origin"], { cwd: folder, reject: false });
  return githubRepository(stdout);
}

/** The GitHub repository of a remote's address: https, or either form of ssh. */
export function githubRepository(url: string): string | undefined {
  const form =
    /^(?:https:\/\/(?:[^@/]*@)?|ssh:\/\/(?:[^@/]*@)?|[^@/:]+@)(github[^:/]*)(?::\d+)?[:/]([^/]+\/[^/]+?)(?:\.git)?\/?$/;
  const [, host, name] = form.exec(url.trim()) ?? [];
  return host === undefined || name === undefined ? undefined : `https://${host}/${name}`;
}

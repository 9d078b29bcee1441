import { execa } from "execa";
import { LATEST, prefixedTag } from "../../components/images/tags/names.ts";
import { floatingVersion, startedVersions } from "../../components/images/tags/versions.ts";
import { messageOf } from "../../problems/wording.ts";
import { githubRelease, type VersionFacts, WITHDRAWN_MARKER, withdrawnNotice } from "../ci/github-release.ts";
import { versionFacts } from "../ci/version-facts.ts";
import type { StackFile } from "./stack-file.ts";

/** GitHub's API, as far as releases need it. */
type Api = ReturnType<typeof import("@actions/github").getOctokit>["rest"];

/**
 * Makes the release of a published version at GitHub, or updates it; marks those of withdrawn versions, and says which one is
 * the latest. Never makes a tag: a pushed tag starts publish.yml.
 *
 * @returns what became of it, in a line or two; no failure of GitHub's is one of what is published.
 */
export async function releaseAtGithub(
  version: string,
  { settings }: StackFile,
  folder: string,
): Promise<string> {
  const again = `npm run release -- ${version} --github-release`;
  try {
    const repository = await remote(folder);
    if (repository === undefined) return "This folder has no remote at GitHub, so there is no release there.";
    const token = await login();
    if (token === undefined)
      return `Nobody is logged in at GitHub, so its release there is not made. To make it: gh auth login && ${again}`;
    process.env["GH_TOKEN"] ??= token;
    const { getOctokit } = await import("@actions/github");
    const api = apiOf(repository);
    const { rest } = getOctokit(token, api === undefined ? {} : { baseUrl: api });
    return await syncReleases(rest, await versionFacts(settings, version, repository));
  } catch (error) {
    return `Its release at GitHub is missing or as it was before: ${messageOf(error)}\nTo try again: ${again}`;
  }
}

/** The same with what the registry has. publish.yml makes a release in the same way, without the code of the repository. */
export async function syncReleases(api: Api, facts: VersionFacts): Promise<string> {
  const { version, registry } = facts;
  const [owner = "", repo = ""] = new URL(facts.repository).pathname.slice(1).split("/");
  const place = { owner, repo };
  const isTag = async (tag: string): Promise<boolean> =>
    (await found(api.git.getRef({ ...place, ref: `tags/${tag}` }))) !== undefined;
  const releaseOf = async (tag: string) => (await found(api.repos.getReleaseByTag({ ...place, tag })))?.data;

  const tag_name = prefixedTag(version);
  let result = `There is no tag ${tag_name} at GitHub, so there is no release. To make both: git tag ${tag_name} && git push origin ${tag_name}`;
  if (await isTag(tag_name)) {
    const { body, prerelease, latest, previous } = githubRelease(facts);
    const since = previous !== "" && (await isTag(previous)) ? { previous_tag_name: previous } : {};
    const notes = await api.repos.generateReleaseNotes({ ...place, tag_name, ...since });
    const text = { tag_name, name: tag_name, body: `${body}\n\n${notes.data.body}` };
    const release = { ...place, ...text, prerelease, make_latest: latest ? "true" : "false" } as const;
    const before = await releaseOf(tag_name);
    const { data } =
      before === undefined
        ? await api.repos.createRelease(release)
        : await api.repos.updateRelease({ ...release, release_id: before.id });
    result = `Its release at GitHub: ${data.html_url}`;
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

/** An answer, or undefined where GitHub knows no such thing. */
async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && "status" in error && error.status === 404) return undefined;
    throw error;
  }
}

/** The address of the repository at GitHub that a folder is a clone of: `https://github.com/OWNER/NAME`. */
async function remote(folder: string): Promise<string | undefined> {
  const { stdout } = await execa("git", ["remote", "get-url", "origin"], { cwd: folder, reject: false });
  return githubRepository(stdout);
}

/** The address of a repository at GitHub, from that of a remote: by https, by ssh in both of its forms. */
export function githubRepository(url: string): string | undefined {
  const form =
    /^(?:https:\/\/(?:[^@/]*@)?|ssh:\/\/(?:[^@/]*@)?|[^@/:]+@)(github[^:/]*)(?::\d+)?[:/]([^/]+\/[^/]+?)(?:\.git)?\/?$/;
  const [, host, name] = form.exec(url.trim()) ?? [];
  return host === undefined || name === undefined ? undefined : `https://${host}/${name}`;
}

/** GitHub's API where it is not github.com's. */
function apiOf(repository: string): string | undefined {
  const { host } = new URL(repository);
  return process.env["GITHUB_API_URL"] ?? (host === "github.com" ? undefined : `https://${host}/api/v3`);
}

/** The token of whoever is logged in at GitHub. */
async function login(): Promise<string | undefined> {
  const token = process.env["GH_TOKEN"] ?? process.env["GITHUB_TOKEN"];
  if (token !== undefined && token !== "") return token;
  const { stdout, failed } = await execa("gh", ["auth", "token"], { reject: false });
  return failed || stdout === "" ? undefined : stdout;
}

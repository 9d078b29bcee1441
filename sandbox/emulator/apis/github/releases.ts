import { z } from "zod";
import { GithubError, missing } from "../../support/github/errors.ts";
import type { GithubRelease, GithubRepository } from "../../support/github/repositories.ts";
import { bodyRoute, created, type Need, repositoryRoute } from "../../support/github/route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const READ: Need = { permission: "contents", level: "read", role: "read" };
const WRITE: Need = { permission: "contents", level: "write", role: "write" };

/** The tip of main. The emulated GitHub has no commits. */
const TIP = "0".repeat(40);

const fields = {
  name: z.string().nullish(),
  // GitHub's limit: "body is too long (maximum is 125000 characters)".
  body: z.string().max(125_000).nullish(),
  prerelease: z.boolean().optional(),
  make_latest: z.enum(["true", "false", "legacy"]).optional(),
};
const newRelease = z.object({ ...fields, tag_name: z.string().min(1) });
const changedRelease = z.object(fields);
const notes = z.object({ tag_name: z.string().min(1), previous_tag_name: z.string().optional() });
const newRef = z.object({ ref: z.string().startsWith("refs/tags/"), sha: z.string().length(40) });

function releaseOf(
  { releases }: GithubRepository,
  matches: (release: GithubRelease) => boolean,
): GithubRelease {
  const found = releases.find(matches);
  if (found === undefined) throw missing();
  return found;
}

/** By default, a new release becomes the latest. A prerelease never does. */
function change(
  repository: GithubRepository,
  release: GithubRelease,
  { make_latest, ...changed }: z.infer<typeof changedRelease>,
  makeLatest: boolean,
): void {
  const { name, body, prerelease } = changed;
  if (make_latest === "true" && (prerelease ?? release.prerelease))
    throw new GithubError(422, "Validation Failed: Latest release cannot be draft or prerelease.");
  Object.assign(release, {
    ...(name != null && { name }),
    ...(body != null && { body }),
    ...(prerelease !== undefined && { prerelease }),
  });
  const wanted = make_latest === undefined ? makeLatest && !release.prerelease : make_latest === "true";
  if (wanted) repository.latestRelease = release.id;
  else if (repository.latestRelease === release.id && (make_latest === "false" || release.prerelease))
    repository.latestRelease = undefined;
}

const described = ({ login, ...release }: GithubRelease): object => ({
  ...release,
  draft: false,
  author: { login },
});

/** Releases and tags (https://docs.github.com/rest/releases/releases). */
export const releases: OpenRoute[] = [
  repositoryRoute("GET", "/git/ref/{ref*}", READ, ({ repository: { tags }, params: { ref = "" } }) => {
    const sha = tags[ref.replace(/^tags\//, "")];
    if (sha === undefined) throw missing();
    return { ref: `refs/${ref}`, object: { type: "commit", sha } };
  }),
  bodyRoute("POST", "/git/refs", WRITE, newRef, ({ context, repository: { tags }, body: { ref, sha } }) => {
    const tag = ref.slice("refs/tags/".length);
    if (tags[tag] !== undefined) throw new GithubError(422, "Reference already exists");
    context.store.change(() => (tags[tag] = sha));
    return created({ ref, object: { type: "commit", sha } });
  }),
  repositoryRoute("GET", "/releases", READ, ({ repository }) =>
    Response.json(repository.releases.toReversed().map(described)),
  ),
  repositoryRoute("GET", "/releases/latest", READ, ({ repository }) =>
    described(releaseOf(repository, ({ id }) => id === repository.latestRelease)),
  ),
  repositoryRoute("GET", "/releases/tags/{tag}", READ, ({ repository, params }) =>
    described(releaseOf(repository, ({ tag_name }) => tag_name === params["tag"])),
  ),
  bodyRoute(
    "POST",
    "/releases",
    WRITE,
    newRelease,
    ({ context, repository, caller, body: { tag_name, ...rest } }) => {
      if (repository.releases.some((each) => each.tag_name === tag_name))
        throw new GithubError(422, "Validation Failed: tag_name already_exists");
      const made = context.store.change((state) => {
        const empty = { name: tag_name, body: "", prerelease: false };
        const release = { id: state.nextId++, login: caller.login, tag_name, ...empty };
        change(repository, release, rest, true);
        // GitHub creates a missing tag.
        repository.tags[tag_name] ??= TIP;
        repository.releases.push(release);
        return release;
      });
      return created(described(made));
    },
  ),
  bodyRoute(
    "POST",
    "/releases/generate-notes",
    WRITE,
    notes,
    ({ repository: { tags, owner, name }, body: { tag_name, previous_tag_name } }) => {
      if (previous_tag_name !== undefined && tags[previous_tag_name] === undefined)
        throw new GithubError(422, "Validation Failed: Invalid previous_tag_name parameter");
      const range =
        previous_tag_name === undefined
          ? `commits/${tag_name}`
          : `compare/${previous_tag_name}...${tag_name}`;
      return {
        name: tag_name,
        body: `**Full Changelog**: https://github.com/${owner.login}/${name}/${range}`,
      };
    },
  ),
  bodyRoute("PATCH", "/releases/{id}", WRITE, changedRelease, ({ context, repository, params, body }) => {
    const release = releaseOf(repository, ({ id }) => String(id) === params["id"]);
    context.store.change(() => {
      change(repository, release, body, false);
    });
    return described(release);
  }),
];

import { z } from "zod";
import { GithubError, missing } from "../../support/github/errors.ts";
import type { GithubRelease, GithubRepository } from "../../support/github/repositories.ts";
import { created, type Need, paged, repositoryRoute } from "../../support/github/route.ts";
import type { OpenRoute } from "../../support/http/route.ts";

const need = (level: Need["level"]): Need => ({ permission: "contents", level, role: level });
const RELEASES = "/releases";

const changedRelease = z.object({
  tag_name: z.string().min(1).optional(),
  name: z.string().nullish(),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
  prerelease: z.boolean().optional(),
  make_latest: z.enum(["true", "false", "legacy"]).optional(),
});
const newRelease = changedRelease.required({ tag_name: true });

function releaseOf(repository: GithubRepository, is: (release: GithubRelease) => boolean): GithubRelease {
  const release = repository.releases.find(is);
  if (release === undefined) throw missing();
  return release;
}

const published = ({ draft, prerelease }: GithubRelease): boolean => !draft && !prerelease;

/** Changes a release. The latest is the one that was said to be it, else the most recent that is published. */
function put(
  repository: GithubRepository,
  release: GithubRelease,
  { make_latest: latest = "true", ...fields }: z.infer<typeof changedRelease>,
): GithubRelease {
  Object.assign(release, fields);
  if (published(release) && latest !== "false") repository.latestRelease = release.id;
  else if (repository.latestRelease === release.id)
    repository.latestRelease = repository.releases.findLast(published)?.id;
  return release;
}

/** Releases (https://docs.github.com/rest/releases/releases). */
export const releases: OpenRoute[] = [
  repositoryRoute("GET", RELEASES, need("read"), ({ repository, request }) =>
    paged(request, [...repository.releases].reverse()),
  ),
  repositoryRoute("GET", `${RELEASES}/latest`, need("read"), ({ repository }) =>
    releaseOf(repository, ({ id }) => id === repository.latestRelease),
  ),
  repositoryRoute("GET", `${RELEASES}/tags/{tag}`, need("read"), ({ repository, params }) =>
    releaseOf(repository, (each) => each.tag_name === params["tag"] && !each.draft),
  ),
  repositoryRoute(
    "POST",
    RELEASES,
    need("write"),
    ({ context, repository, body }) => {
      if (repository.releases.some(({ tag_name }) => tag_name === body.tag_name))
        throw new GithubError(422, "Validation Failed");
      const made = context.store.change((state) => {
        const blank = { id: state.nextId++, name: null, body: null, draft: false, prerelease: false };
        const release: GithubRelease = { ...blank, tag_name: body.tag_name };
        repository.releases.push(release);
        return put(repository, release, body);
      });
      return created(made);
    },
    newRelease,
  ),
  repositoryRoute(
    "PATCH",
    `${RELEASES}/{id}`,
    need("write"),
    ({ context, repository, params, body }) => {
      const release = releaseOf(repository, ({ id }) => String(id) === params["id"]);
      return context.store.change(() => put(repository, release, body));
    },
    changedRelease,
  ),
];

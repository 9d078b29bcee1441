/**
 * `owner/name`. The name of a managed user contains an underscore. GitHub removes `.git` from a repository's name and
 * refuses `.wiki`.
 * Sources: https://docs.github.com/repositories/creating-and-managing-repositories/repository-limits#repository-name,
 * https://docs.github.com/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication
 */
export const GITHUB_REPOSITORY =
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,38}\/(?!\.{1,2}$)(?!.*\.(?:git|wiki)$)[A-Za-z0-9._-]{1,100}$/i;

/**
 * Up to 255 visible characters.
 * Source: https://docs.github.com/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments
 */
export const GITHUB_ENVIRONMENT = /^(?!\s)[^\p{C}]{1,255}(?<!\s)$/u;

/**
 * The full ref of a branch or a tag. A star at the end makes it a prefix.
 * Source: https://git-scm.com/docs/git-check-ref-format. Git forbids only the plain space; this forbids all white space.
 */
export const GIT_REF = new RegExp(
  [
    String.raw`^refs\/(?:heads|tags)\/(?=.{1,255}$)`,
    String.raw`(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)))`,
    String.raw`(?![./])[^\s\p{C}~^:?*[\\]+(?:(?<![./])|\*)$`,
  ].join(""),
  "u",
);

/**
 * `owner/name`; the owner of a managed user has an underscore too. GitHub drops `.git` from a name, and takes none that
 * ends in `.wiki`.
 * Sources: https://docs.github.com/repositories/creating-and-managing-repositories/repository-limits#repository-name,
 * https://docs.github.com/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication
 */
export const GITHUB_REPOSITORY =
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,38}\/(?!\.{1,2}$)(?!.*\.(?:git|wiki)$)[A-Za-z0-9._-]{1,100}$/i;

/**
 * Any name of up to 255 characters that shows.
 * Source: https://docs.github.com/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments
 */
export const GITHUB_ENVIRONMENT = /^(?!\s)[^\p{C}]{1,255}(?<!\s)$/u;

/**
 * A full git ref of a branch or a tag, which a star at the end makes a prefix.
 * Source: https://git-scm.com/docs/git-check-ref-format; of spaces it forbids the plain one, here are none.
 */
export const GIT_REF = new RegExp(
  [
    String.raw`^refs\/(?:heads|tags)\/(?=.{1,255}$)`,
    String.raw`(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)))`,
    String.raw`(?![./])[^\s\p{C}~^:?*[\\]+(?:(?<![./])|\*)$`,
  ].join(""),
  "u",
);

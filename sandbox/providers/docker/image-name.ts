/**
 * `HOST/REPOSITORY` of a fully qualified image name, without its tag and digest.
 *
 * @throws the real plugin's error if the name has no registry.
 */
export function withoutTag(name: string): string {
  const [, host, path] = /^([^/]+)\/(.+)$/.exec(name) ?? [];
  if (host === undefined || path === undefined || !/[.:]|^localhost$/.test(host)) {
    throw new Error(
      `error: "${name}" is not a canonical image name. This provider requires all image names to be fully qualified.\n` +
        "For example, if you are attempting to push to Dockerhub, prefix your image name with `docker.io`:\n\n" +
        "`docker.io/repository/image:tag`",
    );
  }
  return `${host}/${path.replace(/(:[\w.-]+)?(@.+)?$/, "")}`;
}

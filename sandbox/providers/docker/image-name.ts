/** The parts of a fully qualified image name: `localhost:5001/project/repository/image:tag`. */
export interface ImageName {
  host: string;
  repository: string;
  /** A tag or, after `@`, a digest. Default: `latest`. */
  reference: string;
}

/** @throws the real plugin's error if the name has no registry. */
export function parseImageName(name: string): ImageName {
  const [, host, path] = /^([^/]+)\/(.+)$/.exec(name) ?? [];
  if (host === undefined || path === undefined || !/[.:]|^localhost$/.test(host)) {
    throw new Error(
      `error: "${name}" is not a canonical image name. This provider requires all image names to be fully qualified.\n` +
        "For example, if you are attempting to push to Dockerhub, prefix your image name with `docker.io`:\n\n" +
        "`docker.io/repository/image:tag`",
    );
  }
  const [, byDigest, digest] = /^(.+?)(?::[\w.-]+)?@(.+)$/.exec(path) ?? [];
  if (byDigest !== undefined && digest !== undefined)
    return { host, repository: byDigest, reference: digest };
  const [, repository = path, tag = "latest"] = /^(.+?)(?::([\w.-]+))?$/.exec(path) ?? [];
  return { host, repository, reference: tag };
}

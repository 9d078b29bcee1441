/** The header by which a person's call of the Organization Policy API counts for the project that it is about. */
export function quotaProjectOf(path: string): Record<string, string> {
  const project = /^v2\/projects\/([^/]+)/.exec(path)?.[1];
  return project === undefined ? {} : { "x-goog-user-project": project };
}

/** The quota project's header, which a person's calls of the Organization Policy API need. */
export function quotaProjectOf(path: string): Record<string, string> {
  const project = /^v2\/projects\/([^/]+)/.exec(path)?.[1];
  return project === undefined ? {} : { "x-goog-user-project": project };
}

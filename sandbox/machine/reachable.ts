const ANSWER_MS = 4_000;

/** Whether the server at `url` answers within a few seconds, with any status below 500. */
export async function isReachable(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(ANSWER_MS) });
    return response.status < 500;
  } catch {
    return false;
  }
}

/** The download server of the Pulumi CLI and its plugins. */
export const PULUMI_DOWNLOADS = "https://get.pulumi.com/";

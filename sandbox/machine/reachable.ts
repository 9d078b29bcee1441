/** How long a download server may take to answer before it is given up, in milliseconds. */
const ANSWER_MS = 4_000;

/** Whether the server at `url` answers, whatever its answer, within a few seconds. */
export async function isReachable(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(ANSWER_MS) });
    return response.status < 500;
  } catch {
    return false;
  }
}

/** Where the Pulumi CLI and its plugins are downloaded from. */
export const PULUMI_DOWNLOADS = "https://get.pulumi.com/";

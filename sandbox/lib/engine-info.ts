import { askEngine } from "../../components/images/docker/engine.ts";

/** Fields of `GET /info` of a Docker engine. */
export interface EngineInfo {
  ServerVersion: string;
  OperatingSystem: string;
  SecurityOptions?: string[] | null;
}

/**
 * @param host `unix:///PATH` or `tcp://HOST:PORT` without TLS.
 * @returns undefined if the engine does not answer in time.
 */
export async function engineInfo(host: string, milliseconds = 3_000): Promise<EngineInfo | undefined> {
  const body = await askEngine(host, "/info", milliseconds);
  try {
    return body === undefined ? undefined : (JSON.parse(body) as EngineInfo);
  } catch {
    return undefined;
  }
}

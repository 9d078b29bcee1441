import { askEngine } from "../../components/images/docker/engine.ts";

/** What `GET /info` of a Docker engine tells that matters here. */
export interface EngineInfo {
  ServerVersion: string;
  OperatingSystem: string;
  SecurityOptions?: string[] | null;
}

/**
 * Asks a Docker engine at `host` (`unix:///PATH` or `tcp://HOST:PORT` without TLS); undefined when it does not
 * answer within `milliseconds`.
 */
export async function engineInfo(host: string, milliseconds = 3_000): Promise<EngineInfo | undefined> {
  const body = await askEngine(host, "/info", milliseconds);
  try {
    return body === undefined ? undefined : (JSON.parse(body) as EngineInfo);
  } catch {
    return undefined;
  }
}

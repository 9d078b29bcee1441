import { request } from "node:http";

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
export function engineInfo(host: string, milliseconds = 3_000): Promise<EngineInfo | undefined> {
  return new Promise((resolve) => {
    const target = requestTarget(host);
    if (!target) {
      resolve(undefined);
      return;
    }
    const fail = () => {
      resolve(undefined);
    };
    const call = request(
      { ...target, path: "/info", headers: { Host: "docker" }, signal: AbortSignal.timeout(milliseconds) },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (body += part));
        response.on("error", fail);
        response.on("end", () => {
          resolve(response.statusCode === 200 ? parseInfo(body) : undefined);
        });
      },
    );
    call.on("error", fail);
    call.end();
  });
}

function parseInfo(body: string): EngineInfo | undefined {
  try {
    return JSON.parse(body) as EngineInfo;
  } catch {
    return undefined;
  }
}

function requestTarget(
  host: string,
): { socketPath: string } | { hostname: string; port: string } | undefined {
  if (host.startsWith("unix://")) return { socketPath: host.slice("unix://".length) };
  if (!URL.canParse(host)) return undefined;
  const { protocol, hostname, port } = new URL(host);
  return protocol === "tcp:" ? { hostname, port: port || "2375" } : undefined;
}

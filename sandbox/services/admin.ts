import { mintAccessToken, MAINTAINER } from "../lib/tokens.ts";
import { SandboxError } from "../lib/errors.ts";
import { noSandbox } from "../lib/require-sandbox.ts";
import { type SandboxPaths, sandboxPaths } from "../lib/paths.ts";
import { readConfig, emulatorUrl } from "../lib/config.ts";

export async function printAdmin(...request: Parameters<typeof askAdmin>): Promise<void> {
  console.log(JSON.stringify(await askAdmin(...request), null, 2));
}

interface ErrorBody {
  error?: { message?: string };
}

/** Calls a route `sandbox/...` of the emulator as the maintainer. */
async function askAdmin(
  method: "GET" | "PUT" | "POST" | "DELETE",
  path: string,
  body?: object,
  paths: SandboxPaths = sandboxPaths(),
): Promise<unknown> {
  const config = readConfig(paths);
  if (!config) throw noSandbox(paths);
  const token = await mintAccessToken(paths.root, MAINTAINER);
  const response = await fetch(`${emulatorUrl(config)}/sandbox/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new SandboxError(
      `the emulated Google APIs do not answer at ${emulatorUrl(config)}. Start them: npm run sandbox`,
    );
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  throw new SandboxError((answer as ErrorBody).error?.message ?? `${path} answered ${response.status}`);
}

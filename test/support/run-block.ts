import type { Outcome, Sandbox } from "./sandbox.ts";

/**
 * Definitions for the commands: `npm run pulumi --` without the start-up time of npm, which the block in README.md covers;
 * `pulumi` without the preview of an update; the repository's path in the API; and a request to the API.
 */
const PRELUDE = `
npm() {
  if [ "\${*:1:3}" = "run pulumi --" ]; then run scripts/pulumi.sh "\${@:4}"; else command npm "$@"; fi
}
pulumi() {
  run "$(type -P pulumi)" "$@"
}
run() {
  # A preview takes as long as the update.
  case $2 in up | refresh | destroy) set -- "$@" --skip-preview ;; esac
  "$@"
}
repository=v1/projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public
google() {
  # The token goes through standard input: the process list shows arguments to every user.
  curl -fsS -X "$1" -H @- -H "Content-Type: application/json" \${3:+--data "$3"} "$CLOUD_URL/$2" \\
    <<< "Authorization: Bearer $GOOGLE_OAUTH_ACCESS_TOKEN"
}
`;

/** Runs the commands of a document in a shell that uses the sandbox. */
export function runBlock(
  sandbox: Sandbox,
  commands: string,
  variables: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const own = { CLOUD_URL: sandbox.emulatorUrl, PULUMI_SKIP_CONFIRMATIONS: "true" };
  const bash = ["-euo", "pipefail", "-c", PRELUDE + commands];
  return sandbox.command("bash", bash, { ...own, ...variables });
}

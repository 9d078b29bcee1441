import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, test } from "vitest";
import { checkOf, documents } from "../support/documents.ts";
import { passed } from "../support/outcome.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

/**
 * Definitions for the commands: `npm run pulumi --` without the start-up time of npm, which the block in README.md covers;
 * the repository's path in the API; and a request to the API.
 */
const PRELUDE = `
npm() {
  if [ "\${*:1:3}" = "run pulumi --" ]; then scripts/pulumi.sh "\${@:4}"; else command npm "$@"; fi
}
repository=v1/projects/hyperion-sandbox/locations/us-central1/repositories/hyperion-public
google() {
  # The token goes through standard input: the process list shows arguments to every user.
  curl -fsS -X "$1" -H @- -H "Content-Type: application/json" \${3:+--data "$3"} "$CLOUD_URL/$2" \\
    <<< "Authorization: Bearer $GOOGLE_OAUTH_ACCESS_TOKEN"
}
`;

const sandbox = useSandbox();
let settingsFile: string;
let settings: string;

beforeAll(async () => {
  settingsFile = join(sandbox.root, "project/Pulumi.sandbox.yaml");
  settings = await readFile(settingsFile, "utf8");
});

const destroys = ({ commands }: { commands: string }) => /^npm run pulumi -- destroy/m.test(commands);

const runs = documents()
  .flatMap(({ blocks }) => blocks)
  .flatMap((block) => {
    const check = checkOf(block);
    return check?.kind === "run" ? [{ where: block.where, commands: check.commands }] : [];
  })
  // Last, because the next block would publish everything again.
  .sort((a, b) => Number(destroys(a)) - Number(destroys(b)));

describe("the commands of", () => {
  test.each(runs)("$where", async ({ commands }) => {
    // Each block starts with the sandbox's settings.
    await writeFile(settingsFile, settings);
    const variables = { CLOUD_URL: sandbox.emulatorUrl, PULUMI_SKIP_CONFIRMATIONS: "true" };
    const bash = ["-euo", "pipefail", "-c", PRELUDE + commands];
    passed(await sandbox.command("bash", bash, variables));
  });
});

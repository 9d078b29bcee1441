import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, test } from "vitest";
import { checkOf, documents } from "../support/documents.ts";
import { passed } from "../support/outcome.ts";
import { runBlock } from "../support/run-block.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

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
    passed(await runBlock(sandbox, commands));
  });
});

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, test } from "vitest";
import { checkOf, documents } from "../support/documents.ts";
import { passed } from "../support/outcome.ts";
import { runBlock } from "../support/run-block.ts";
import { useSandbox } from "../support/shared-sandbox.ts";

const sandbox = useSandbox();
let settingsFile: string;
/** The text of the file. */
let withImages: string;
let withoutImages: string;

beforeAll(async () => {
  settingsFile = join(sandbox.root, "project/Pulumi.sandbox.yaml");
  withImages = await readFile(settingsFile, "utf8");
  await sandbox.set({ publishImages: "false" });
  withoutImages = await readFile(settingsFile, "utf8");
});

interface Block {
  where: string;
  commands: string;
}

/** Whether the commands publish images. The others run on a stack without images, whose runs take less time. */
const publishes = ({ where }: Block) => /^(README|docs\/RELEASING)\.md/.test(where);
const destroys = ({ commands }: Block) => /^npm run pulumi -- destroy/m.test(commands);

const blocks = documents()
  .flatMap((document) => document.blocks)
  .flatMap((block): Block[] => {
    const check = checkOf(block);
    return check?.kind === "run" ? [{ where: block.where, commands: check.commands }] : [];
  })
  // Images are removed from the state once, and nothing is created again after a destroy.
  .sort((a, b) => Number(publishes(b)) - Number(publishes(a)) || Number(destroys(a)) - Number(destroys(b)));

describe("the commands of", () => {
  test.each(blocks)("$where", async (block) => {
    // Each block starts with the sandbox's settings.
    await writeFile(settingsFile, publishes(block) ? withImages : withoutImages);
    passed(await runBlock(sandbox, block.commands));
  });
});

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Sandbox } from "../support/sandbox.ts";

export interface Size {
  images: number;
  readers: number;
}

/**
 * Creates a stack for the copy of the program in `folder`, with a catalogue of this size. Each image is one small, unique
 * file.
 *
 * @returns the stack's name.
 */
export async function createStack(sandbox: Sandbox, folder: string, size: Size): Promise<string> {
  const stack = `load-${size.images}`;
  const catalogue = Array.from({ length: size.images }, (_, index) => ({
    name: `image-${index}`,
    context: `image-${index}`,
    dockerfile: "Dockerfile",
  }));
  await writeFile(join(folder, "images.json"), JSON.stringify(catalogue));
  for (const { context } of catalogue) {
    const sources = join(folder, "sources", context);
    await mkdir(sources, { recursive: true });
    await writeFile(join(sources, "Dockerfile"), "FROM scratch\nCOPY content /\n");
    await writeFile(join(sources, "content"), `${stack} ${context}\n`);
  }
  await sandbox.pulumi("stack", "init", stack, "--cwd", folder);
  const file = join(folder, `Pulumi.${stack}.yaml`);
  const settings = parse(await readFile(file, "utf8")) as object;
  const config = {
    "gcp:project": "hyperion-sandbox",
    "gcp:region": "us-central1",
    "hyperion-registry:repositoryId": stack,
    "hyperion-registry:sourceDir": "sources",
    "hyperion-registry:ciServiceAccountId": `ci-${stack}`,
    "hyperion-registry:readers": Array.from(
      { length: size.readers },
      (_, index) => `user:reader-${index}@example.com`,
    ),
  };
  await writeFile(file, stringify({ ...settings, config }));
  return stack;
}

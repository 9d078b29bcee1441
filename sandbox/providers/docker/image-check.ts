import { stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { messageOf } from "../../../problems/wording.ts";
import { type Checked, checkInputs } from "../rpc/check.ts";
import type { Shape } from "../rpc/shape.ts";
import { hasUnknown, type Properties, record, text, texts, unknownValue } from "../rpc/values.ts";
import { contextDigest } from "./context-digest.ts";
import { withoutTag } from "./image-name.ts";

export const imageType = "docker:index/image:Image";

export const imageShape: Shape = {
  imageName: { kind: "string", required: true },
  skipPush: { kind: "boolean", only: false },
  buildOnPreview: { kind: "boolean" },
  build: {
    kind: "block",
    items: {
      context: { kind: "string" },
      dockerfile: { kind: "string" },
      platform: { kind: "string", required: true },
      target: { kind: "string" },
      args: { kind: "map" },
      cacheFrom: { kind: "block", items: { images: { kind: "strings", required: true } } },
      // Set by the check. The engine sends it back when it reuses inputs.
      contextDigest: { kind: "string" },
    },
  },
};

/** Paths of a build as in the program, relative to its folder. */
export function buildPaths(inputs: Properties): { context: string; dockerfile: string } {
  const build = record(inputs, "build");
  const context = text(build, "context") || ".";
  return { context, dockerfile: text(build, "dockerfile") || join(context, "Dockerfile") };
}

/** Checks an image's inputs and adds the hash of its context, so that a changed source is a changed input. */
export async function checkImage(news: Properties): Promise<Checked> {
  const checked = checkInputs(imageShape, news, imageType, "docker");
  const refuse = (property: string, error: unknown): Checked => ({
    ...checked,
    failures: [...checked.failures, { property, reason: messageOf(error) }],
  });
  if (checked.failures.length > 0) return checked;
  const build = { ...record(checked.inputs, "build") };
  try {
    assertNames(news);
  } catch (error) {
    return refuse("imageName", error);
  }
  const paths = buildPaths(checked.inputs);
  if (hasUnknown([paths.context, paths.dockerfile])) {
    build["contextDigest"] = unknownValue;
  } else {
    try {
      await assertFiles(paths);
      build["contextDigest"] = await contextDigest(paths.context, paths.dockerfile);
    } catch (error) {
      return refuse("build", error);
    }
  }
  return { ...checked, inputs: { ...checked.inputs, build } };
}

function assertNames(news: Properties): void {
  const cached = texts(record(record(news, "build"), "cacheFrom"), "images");
  for (const name of [...cached, text(news, "imageName")]) {
    if (!name.includes(unknownValue)) withoutTag(name);
  }
}

async function assertFiles({ context, dockerfile }: { context: string; dockerfile: string }): Promise<void> {
  if (!(await exists(context))) {
    throw new Error(`unable to prepare context: path "${context}" not found (relative to ${process.cwd()})`);
  }
  if (await exists(dockerfile)) return;
  if (isAbsolute(dockerfile))
    throw new Error(`could not open dockerfile at absolute path ${dockerfile}: no such file or directory`);
  const inContext = join(context, dockerfile);
  throw new Error(
    (await exists(inContext))
      ? `could not open dockerfile at relative path ${dockerfile}. Try setting \`dockerfile\` to "${inContext}"`
      : `could not open dockerfile at relative path ${dockerfile}: stat ${dockerfile}: no such file or directory`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

import { readFileSync } from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import type { Problem } from "../../problems/problem.ts";
import { shown, shownName } from "../../problems/wording.ts";

/** An image of the catalogue (images.json). */
export interface CatalogueImage {
  /** Name of the image in the repository. */
  name: string;
  /** Build context, relative to the source folder. */
  context: string;
  /** Dockerfile, relative to the context. */
  dockerfile: string;
  /**
   * Stage of the Dockerfile to cache. With `buildCache: registry` it is published too, because an image contains the
   * layers of its last stage only.
   */
  cacheStage?: string | undefined;
}

export interface Catalogue {
  /** The valid images. */
  images: CatalogueImage[];
  problems: Problem[];
}

const REQUIRED = {
  name: "a name of lower-case letters and digits, with . _ or - between them, at most 128 characters",
  context: "a folder below the sources, such as coordinator/ui",
  dockerfile: "a file below the context, such as Dockerfile",
};

const FORMS = { ...REQUIRED, cacheStage: "a stage of the Dockerfile, such as build, or left out" };

/** A relative path that does not lead upwards. */
const below = z
  .string()
  .regex(/^\P{C}{1,1024}$/u)
  .refine((text) => !path.isAbsolute(text) && !text.split(/[\\/]/).includes(".."));

const image: z.ZodType<CatalogueImage> = z.strictObject({
  // Distribution specification: one component of a repository's name.
  name: z
    .string()
    .max(128)
    .regex(/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/),
  context: below,
  dockerfile: below,
  // Dockerfile reference (FROM ... AS). The stage is part of a tag.
  cacheStage: z
    .string()
    .regex(/^[a-z][a-z0-9_.-]{0,63}$/)
    .optional(),
});

/** Parses the text of images.json. */
export function parseCatalogue(text: string): Catalogue {
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (error) {
    return { images: [], problems: [problem("", brokenJson(error), "JSON: a list of images")] };
  }
  if (!Array.isArray(entries) || entries.length === 0) {
    return { images: [], problems: [problem("", shown(entries), "a list of at least one image")] };
  }
  const images: CatalogueImage[] = [];
  const problems: Problem[] = [];
  entries.forEach((entry: unknown, index) => {
    const parsed = image.safeParse(entry);
    if (!parsed.success) problems.push(...entryProblems(`[${index}]`, entry, parsed.error));
    else if (images.some(({ name }) => name === parsed.data.name)) {
      problems.push(problem(`[${index}].name`, shown(parsed.data.name), "each name once"));
    } else images.push(parsed.data);
  });
  return { images, problems };
}

/** The images of images.json. */
export const catalogue: Catalogue = parseCatalogue(
  readFileSync(path.join(import.meta.dirname, "../../images.json"), "utf8"),
);

function entryProblems(where: string, entry: unknown, error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      const allowed = `${Object.keys(FORMS).join(", ")}, and nothing else`;
      return issue.keys.map((key) =>
        problem(`${where}.${shownName(key)}`, "a key that does not exist", allowed),
      );
    }
    const key = issue.path[0];
    if (key === undefined) {
      return [problem(where, shown(entry), `an object of ${Object.keys(REQUIRED).join(", ")}`)];
    }
    const value = (entry as Record<PropertyKey, unknown>)[key];
    return [problem(`${where}.${String(key)}`, shown(value), FORMS[key as keyof typeof FORMS])];
  });
}

function problem(where: string, found: string, allowed: string): Problem {
  return {
    where: `images.json${where}`,
    found,
    allowed,
    fix: "edit images.json   # what changed: git diff images.json",
  };
}

/** Leaves out the text, which Node.js quotes. */
function brokenJson(error: unknown): string {
  const at = /at position \d+/.exec(error instanceof Error ? error.message : "")?.[0];
  return `invalid JSON${at === undefined ? "" : ` (${at})`}`;
}

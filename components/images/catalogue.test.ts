import { describe, expect, test } from "vitest";
import { catalogue, parseCatalogue } from "./catalogue.ts";
import images from "../../images.json" with { type: "json" };

const NAME = "a name of lower-case letters and digits, with . _ or - between them, at most 128 characters";
const CONTEXT = "a folder below the sources, such as coordinator/ui";
const DOCKERFILE = "a file below the context, such as Dockerfile";
const ui = { name: "hyperion-ui", context: "coordinator/ui", dockerfile: "Dockerfile" };

test("images.json is valid", () => {
  expect(catalogue).toEqual({ images, problems: [] });
});

describe("an invalid catalogue", () => {
  const list = (...entries: unknown[]): string => JSON.stringify(entries);
  const ONLY = "name, context, dockerfile, cacheStage, and nothing else";

  test.each<[text: string, where: string, found: string, allowed: string]>([
    ['[{"name": "a"', "", "invalid JSON (at position 13)", "JSON: a list of images"],
    ["", "", "invalid JSON", "JSON: a list of images"],
    ["[]", "", "[]", "a list of at least one image"],
    [list("hyperion-ui"), "[0]", '"hyperion-ui"', "an object of name, context, dockerfile"],
    [list({ name: "a", context: "c" }), "[0].dockerfile", "nothing", DOCKERFILE],
    [list({ ...ui, context: "" }), "[0].context", '""', CONTEXT],
    [list({ ...ui, context: "../other" }), "[0].context", '"../other"', CONTEXT],
    [list({ ...ui, dockerfile: "/etc/passwd" }), "[0].dockerfile", '"/etc/passwd"', DOCKERFILE],
    [list({ ...ui, dockerfile: "D\u001b[2J" }), "[0].dockerfile", '"D\\u001b[2J"', DOCKERFILE],
    [list({ ...ui, name: "Hyperion UI" }), "[0].name", '"Hyperion UI"', NAME],
    [list({ ...ui, name: "a".repeat(129) }), "[0].name", `"${"a".repeat(76)}...`, NAME],
    [
      list({ ...ui, cacheStage: "Build 1" }),
      "[0].cacheStage",
      '"Build 1"',
      "a stage of the Dockerfile, such as build, or left out",
    ],
    [list(ui, ui), "[1].name", '"hyperion-ui"', "each name once"],
    [list({ ...ui, file: "x" }), "[0].file", "a key that does not exist", ONLY],
    [list({ ...ui, "\u202e": "x" }), "[0].\\u202e", "a key that does not exist", ONLY],
  ])("%s", (text, where, found, allowed) => {
    expect(parseCatalogue(text).problems).toEqual([
      {
        where: `images.json${where}`,
        found,
        allowed,
        fix: "edit images.json   # what changed: git diff images.json",
      },
    ]);
  });

  test("accepts a cached stage", () => {
    const image = { ...ui, cacheStage: "build" };
    expect(parseCatalogue(list(image))).toEqual({ images: [image], problems: [] });
  });

  test("reports all problems, and keeps the valid images", () => {
    const { images: valid, problems } = parseCatalogue(list({ name: "A" }, ui, 5));
    expect(valid).toEqual([ui]);
    expect(problems.map(({ where }) => where)).toEqual([
      "images.json[0].name",
      "images.json[0].context",
      "images.json[0].dockerfile",
      "images.json[2]",
    ]);
  });
});

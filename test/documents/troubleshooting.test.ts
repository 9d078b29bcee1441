import { slug } from "github-slugger";
import { describe, expect, test } from "vitest";
import { document, messagesOf, partsOf } from "../sandbox/troubleshooting/document.ts";

const [contents = ""] = document.split(/^## /m);
const chapters = partsOf(document, 2);
const entries = [...chapters.values()].flatMap((chapter) => [...partsOf(chapter, 3)]);

describe("docs/TROUBLESHOOTING.md", () => {
  test("lists every entry by a part of its message, in page order", () => {
    const rows = [...contents.matchAll(/^\| (`.+`) +\| \[(.+)\]\(#(.+)\) *\|$/gm)];
    expect(rows.map(([, , heading, address]) => [heading, address])).toEqual(
      entries.map(([heading]) => [heading, slug(heading)]),
    );
    for (const [index, [, seen = ""]] of rows.entries()) {
      const message = messagesOf(entries[index]?.[1] ?? "")
        .flat()
        .join("\n");
      for (const part of seen.split(/`, `|`|…/)) expect(message).toContain(part.trim());
    }
  });

  test.each(entries)("%s: has a specific message, a cause and a fix", (_, entry) => {
    expect(messagesOf(entry)).not.toEqual([]);
    for (const line of messagesOf(entry).flat()) expect(line.replaceAll("…", "").length).toBeGreaterThan(12);
    expect(entry).toContain("\n**Cause.** ");
    expect(entry).toContain("\n**Fix.**");
  });
});

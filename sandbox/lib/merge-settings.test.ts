import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { mergeSettings } from "./merge-settings.ts";

const BASE = "config:\n  gcp:project: one\n  hyperion-registry:labels:\n    app: hyperion\n";

describe("the sandbox's copy of a stack's settings", () => {
  test("follows the tracked file if the sandbox changed nothing", () => {
    const tracked = BASE.replace("one", "two");
    expect(mergeSettings(BASE, tracked, BASE)).toBe(tracked);
  });

  test("does not change if the tracked file does not change", () => {
    const mine = `${BASE}  hyperion-registry:publicAccess: "true"\n`;
    expect(mergeSettings(BASE, BASE, mine)).toBe(mine);
  });

  test("keeps the sandbox's settings and takes all other changes", () => {
    const mine = `${BASE.replace("one", "mine")}  hyperion-registry:publicAccess: "true"\nencryptionsalt: v1:abc\n`;
    const tracked = `${BASE.replace("one", "two").replace("app: hyperion", "app: other")}  hyperion-registry:protect: "false"\n`;
    const merged = mergeSettings(BASE, tracked, mine);
    expect(parse(merged)).toEqual({
      config: {
        "gcp:project": "mine",
        "hyperion-registry:labels": { app: "other" },
        "hyperion-registry:publicAccess": "true",
        "hyperion-registry:protect": "false",
      },
      encryptionsalt: "v1:abc",
    });
  });

  test("removes a key that the tracked file no longer has, unless the sandbox changed it", () => {
    const tracked = "config:\n  gcp:project: one\n";
    const untouched = `${BASE}encryptionsalt: v1:abc\n`;
    expect(parse(mergeSettings(BASE, tracked, untouched))).toEqual({
      config: { "gcp:project": "one" },
      encryptionsalt: "v1:abc",
    });
    const touched = BASE.replace("app: hyperion", "app: mine");
    expect(parse(mergeSettings(BASE, tracked, touched))).toEqual({
      config: { "gcp:project": "one", "hyperion-registry:labels": { app: "mine" } },
    });
  });

  test("does not restore a key that the sandbox removed", () => {
    const mine = "config:\n  gcp:project: one\n";
    const tracked = BASE.replace("app: hyperion", "app: other");
    expect(parse(mergeSettings(BASE, tracked, mine))).toEqual({ config: { "gcp:project": "one" } });
  });

  test.each([
    ["an empty file", ""],
    ["no settings", "encryptionsalt: v1:abc\n"],
    ["settings of null", "config:\n"],
  ])("accepts %s", (_, text) => {
    const merged: unknown = parse(mergeSettings(text, BASE, `${text}secretsprovider: passphrase\n`));
    expect(merged).toMatchObject({ config: { "gcp:project": "one" }, secretsprovider: "passphrase" });
  });
});

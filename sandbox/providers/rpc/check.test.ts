import { describe, expect, it } from "vitest";
import { checkInputs } from "./check.ts";
import { refreshedInputs } from "./diff.ts";
import type { Shape } from "./shape.ts";
import { plainProperties, type Properties, secret, unknownValue } from "./values.ts";

const shape: Shape = {
  name: { kind: "string", required: true },
  count: { kind: "integer" },
  on: { kind: "boolean", default: true },
  tags: { kind: "strings" },
  labels: { kind: "map" },
  block: { kind: "block", items: { inner: { kind: "string", required: true } } },
  list: { kind: "blocks", items: { id: { kind: "string" } } },
  kept: { kind: "boolean", only: true },
};

const check = (news: Properties) => checkInputs(shape, news, "t:t:T", "gcp");

describe("checkInputs", () => {
  it("adds defaults and changes nothing else", () => {
    expect(check({ name: "x" })).toEqual({ inputs: { name: "x", on: true }, failures: [] });
  });

  it.each<[Properties, string, string]>([
    [{ name: "x", other: 1 }, "other", 'does not support the property "other" of t:t:T'],
    [{ name: "x", block: { inner: "i", other: 1 } }, "block.other", 'the property "block.other"'],
    [{ name: "x", list: [{ other: 1 }] }, "list[0].other", 'the property "list[0].other"'],
    [{}, "name", "Missing required property 'name'"],
    [{ name: "x", block: {} }, "block.inner", "Missing required property 'inner'"],
    [{ name: 1 }, "name", "expected a string, found number"],
    [{ name: "x", count: 1.5 }, "count", "expected a whole number"],
    [{ name: "x", on: "true" }, "on", "expected a boolean, found string"],
    [{ name: "x", tags: "a" }, "tags", "expected a list of strings"],
    [{ name: "x", labels: { a: 1 } }, "labels", "expected a map of strings"],
    [{ name: "x", block: [] }, "block", "expected an object, found a list"],
    [{ name: "x", list: {} }, "list", "expected a list of objects"],
    [{ name: "x", kept: false }, "kept", 'supports only "kept: true" of t:t:T'],
  ])("refuses %o", (news, property, reason) => {
    expect(check(news).failures).toEqual([{ property, reason: expect.stringContaining(reason) as string }]);
  });

  it("names the plugin that supports it", () => {
    expect(check({ name: "x", other: 1 }).failures[0]?.reason).toContain("the real gcp plugin does");
  });

  it("accepts unknown values", () => {
    expect(
      check({ name: unknownValue, kept: unknownValue, block: unknownValue, list: [unknownValue] }).failures,
    ).toEqual([]);
  });
});

describe("plainProperties", () => {
  it("removes marks of secrets and internal keys of the real plugins", () => {
    expect(
      plainProperties({ a: secret("x"), b: [{ c: secret({ d: 1 }), __defaults: [] }], __meta: "{}" }),
    ).toEqual({
      a: "x",
      b: [{ c: { d: 1 } }],
    });
  });
});

describe("refreshedInputs", () => {
  it("keeps the program's inputs if they still apply", () => {
    const outputs: Properties = { name: "x", count: 2, labels: {}, tags: [], on: false, block: null };
    expect(refreshedInputs(shape, outputs, { name: "x", count: 1, labels: {} })).toEqual({
      name: "x",
      count: 2,
      labels: {},
    });
  });

  it("has all set properties after an import", () => {
    const outputs: Properties = {
      name: "x",
      count: 0,
      tags: ["a"],
      block: { inner: "i", empty: "" },
      list: [],
    };
    expect(refreshedInputs(shape, outputs, undefined)).toEqual({
      name: "x",
      tags: ["a"],
      block: { inner: "i" },
    });
  });
});

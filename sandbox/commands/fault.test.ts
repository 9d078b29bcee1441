import { expect, test } from "vitest";
import { parseSettings } from "./fault.ts";

test("parses NAME=VALUE", () => {
  expect(
    parseSettings(["status=503", "after=true", "times=null", "seconds=-3600", "route=/v1/*?a=b", "message="]),
  ).toEqual({
    status: 503,
    after: true,
    times: null,
    seconds: -3600,
    route: "/v1/*?a=b",
    message: "",
  });
});

test.each(["status", "=503"])("refuses %j", (word) => {
  expect(() => parseSettings([word])).toThrow("is not NAME=VALUE");
});

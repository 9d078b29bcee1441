import { expect, test } from "vitest";
import { parseSettings } from "./fault.ts";

test("the settings of a fault are words NAME=VALUE", () => {
  expect(
    parseSettings([
      "status=503",
      "after=true",
      "times=null",
      "seconds=-3600",
      "route=/v1/*?a=b",
      "id=12",
      "message=",
    ]),
  ).toEqual({
    status: 503,
    after: true,
    times: null,
    seconds: -3600,
    route: "/v1/*?a=b",
    id: "12",
    message: "",
  });
});

test.each(["status", "=503"])("%j is none", (word) => {
  expect(() => parseSettings([word])).toThrow("is not NAME=VALUE");
});

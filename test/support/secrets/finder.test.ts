import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { SecretFinder } from "./finder.ts";
import { privateLine } from "./secrets.ts";

const pair = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const mine = pair();
const pem = mine.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const finder = new SecretFinder([{ name: "the key", value: privateLine(pem) }], [mine.publicKey]);
const token = (key = mine.privateKey) =>
  new SignJWT({})
    .setProtectedHeader({ alg: "RS256", typ: "at+jwt" })
    .setSubject("user:dana@example.com")
    .sign(key);
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a key", () => {
  it("is found unchanged, on one line, and with escaped line breaks", () => {
    for (const text of [pem, pem.replaceAll("\n", ""), JSON.stringify(pem)])
      expect(finder.find(`before ${text} after`)).toEqual([{ secret: "the key", form: "raw" }]);
  });

  it.each(["", "a", "ab"])("is found in base64 at any offset (after %j)", (before) => {
    const found = [{ secret: "the key", form: "base64" }];
    expect(finder.find(base64(`${before}${pem}`))).toEqual(found);
    expect(finder.find(Buffer.from(`${before}${pem}`).toString("base64url"))).toEqual(found);
    expect(finder.find(base64(`${before}${pem}`).replace(/.{76}/g, "$&\n"))).toEqual(found);
  });

  it("is found URL-encoded, in either case", () => {
    const encoded = encodeURIComponent(pem);
    for (const text of [encoded, encoded.replace(/%../g, (code) => code.toLowerCase())])
      expect(finder.find(`?key=${text}&`)).toEqual([{ secret: "the key", form: "URL-encoded" }]);
  });

  it("is not confused with its public key or another key", () => {
    const half = createPublicKey(pem).export({ type: "spki", format: "pem" }) as string;
    expect(finder.find(half + base64(half))).toEqual([]);
    expect(finder.find(pair().privateKey.export({ type: "pkcs8", format: "pem" }) as string)).toEqual([]);
  });
});

describe("a token", () => {
  const found = (form: string) => [{ secret: "a token of user:dana@example.com", form }];

  it("is found in text", async () => {
    expect(finder.find(`Bearer${await token()}next word`)).toEqual(found("raw"));
  });

  it.each(["", "a:", "oauth2accesstoken:"])(
    "is found in base64, as Docker stores it (after %j)",
    async (before) => {
      expect(finder.find(`{"auth":"${base64(`${before}${await token()}`)}"}`)).toEqual(found("base64"));
      expect(finder.find(base64(`${before}${await token()}`).replace(/.{76}/g, "$&\n"))).toEqual(
        found("base64"),
      );
    },
  );

  it("is ignored with another signature or without one", async () => {
    expect(finder.find(await token(pair().privateKey))).toEqual([]);
    expect(finder.find((await token()).replace(/[^.]+$/, ""))).toEqual([]);
  });
});

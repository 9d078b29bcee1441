import { createPublicKey } from "node:crypto";
import { readText } from "../../../sandbox/lib/files.ts";
import { sandboxPaths } from "../../../sandbox/lib/paths.ts";
import { type Secret, SecretFinder } from "./finder.ts";

/** A finder for the secrets of a sandbox. */
export function finderFor(root: string): SecretFinder {
  const { passphrase, key, githubKey } = sandboxPaths(root);
  const keys = [
    ["the key of registry and tokens", readText(key)],
    ["the key of GitHub's tokens", readText(githubKey)],
  ] as const;
  const secrets: Secret[] = [
    ...keys.flatMap(([name, pem]) => (pem === undefined ? [] : [{ name, value: privateLine(pem) }])),
    { name: "the passphrase of the stacks", value: readText(passphrase)?.trim() ?? "" },
  ];
  return new SecretFinder(
    secrets.filter(({ value }) => value !== ""),
    keys.flatMap(([, pem]) => (pem === undefined ? [] : [createPublicKey(pem)])),
  );
}

/**
 * A line of a key's PEM body. The first third of the body is also in the certificate. A `+` or `/` makes the URL-encoded form
 * differ.
 */
export function privateLine(pem: string): string {
  const lines = pem.split("\n").filter((line) => /^[\w+/]{64}$/.test(line));
  const own = lines.slice(Math.ceil(lines.length / 2));
  const line = own.find((each) => /[+/]/.test(each)) ?? own[0];
  if (line === undefined) throw new Error("no private key in PEM");
  return line;
}

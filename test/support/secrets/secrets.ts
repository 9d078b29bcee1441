import { createPublicKey } from "node:crypto";
import { readText } from "../../../sandbox/lib/files.ts";
import { sandboxPaths } from "../../../sandbox/lib/paths.ts";
import { type Secret, SecretFinder } from "./finder.ts";

/** A finder of everything that is secret in a sandbox; a file that is not there yet has no secret yet. */
export function finderFor(root: string): SecretFinder {
  const { passphrase } = sandboxPaths(root);
  const { key, githubKey } = sandboxPaths(root);
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
 * A line of a key's PEM body that stands for the key. The first third of the body is in the certificate too; a `+` or
 * a `/` makes the URL-encoded form another one.
 */
export function privateLine(pem: string): string {
  const lines = pem.split("\n").filter((line) => /^[\w+/]{64}$/.test(line));
  const own = lines.slice(Math.ceil(lines.length / 2));
  const line = own.find((each) => /[+/]/.test(each)) ?? own[0];
  if (line === undefined) throw new Error("no private key in PEM");
  return line;
}

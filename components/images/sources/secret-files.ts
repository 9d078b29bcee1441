import { open } from "node:fs/promises";
import * as path from "node:path";

/** Names of files that contain credentials by convention. secretlint's rules check the content of other files. */
const NAMES: readonly (readonly [rule: string, name: RegExp])[] = [
  ["environment file", /^(?:.*\.env|\.env\..+|\.envrc)$/],
  ["private key", /^(?:id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|.*\.(?:pem|key|p8|p12|pfx|ppk))$/],
  ["key store", /^.*\.(?:jks|keystore|kdbx?|keytab|ovpn)$/],
  ["login of a package registry", /^\.?(?:npmrc|yarnrc\.yml|pypirc|dockercfg|dockerconfigjson)$/],
  [
    "login of a server",
    /^(?:[._]netrc|\.git-credentials|\.pgpass|\.my\.cnf|\.htpasswd|\.s3cfg|\.boto|rclone\.conf)$/,
  ],
  ["login of a cluster", /^(?:.*\.)?kubeconfig(?:\..+)?$/],
  ["login of a tool", /^(?:auth\.json|\.vault-token|\.terraformrc|credentials(?:\.toml)?|hosts\.yml)$/],
  [
    "Google credentials",
    /^(?:application_default_credentials|client_secrets?.*|gha-creds-.*|.*-adminsdk-.*)\.json$/,
  ],
  ["service account", /^.*(?:service[-_]?account|credentials).*\.json$/],
  ["Terraform state or variables", /^.*\.(?:tfstate(?:\..+)?|tfvars(?:\.json)?)$/],
  ["secrets", /^\.?secrets?(?:\.(?:ya?ml|json|toml|txt|ini))?$/],
];
/** Example files for people. */
const EXAMPLE = /\.(?:example|sample|template|tmpl|dist)(?:\.|$)/i;
/** Dependencies contain keys for tests. */
const PACKAGES = /(?:^|\/)(?:node_modules|vendor|\.venv|venv)(?:\/|$)/;

/** The most bytes to read of one file and of all files, because every preview reads them. */
const LIMITS = { file: 1024 * 1024, all: 16 * 1024 * 1024 };

/** A file that looks like a secret, with the rule that matched. Leaves out the secret itself. */
export interface SecretFile {
  file: string;
  rule: string;
}

/** Whether a path is in a folder of dependencies. */
export const inPackages = (file: string): boolean => PACKAGES.test(file);

/** Returns the rule that a file's name matches. */
export function secretName(file: string): string | undefined {
  const name = path.basename(file);
  if (EXAMPLE.test(name) || inPackages(file)) return undefined;
  return NAMES.find(([, pattern]) => pattern.test(name.toLowerCase()))?.[0];
}

/**
 * Searches files for secrets by secretlint's recommended rules.
 * @param files relative to the folder.
 * @returns the secrets, and the files that are unreadable or too large to read completely.
 */
export async function searchFiles(
  folder: string,
  files: readonly string[],
  limits = LIMITS,
): Promise<{ secrets: SecretFile[]; unread: string[] }> {
  const secrets: SecretFile[] = [];
  const unread: string[] = [];
  let left = limits.all;
  for (const file of files) {
    if (EXAMPLE.test(path.basename(file)) || inPackages(file)) continue;
    const text = await readBeginning(path.join(folder, file), Math.min(left, limits.file));
    if (text === undefined || text.cut) unread.push(file);
    if (text === undefined) continue;
    left -= text.bytes;
    const rule = text.content === "" ? undefined : await secretIn(text.content, file);
    if (rule !== undefined) secrets.push({ file, rule });
  }
  return { secrets, unread };
}

/** Reads the beginning of a file. Returns empty content for a binary file, and undefined for an unreadable one. */
async function readBeginning(
  file: string,
  limit: number,
): Promise<{ content: string; bytes: number; cut: boolean } | undefined> {
  try {
    const handle = await open(file);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) return { content: "", bytes: 0, cut: false };
      const buffer = Buffer.alloc(Math.min(stats.size, limit));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      const isBinary = buffer.subarray(0, 8000).includes(0);
      const content = isBinary ? "" : buffer.toString("utf8", 0, bytesRead);
      return { content, bytes: bytesRead, cut: !isBinary && stats.size > limit };
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}

/** Returns the rule that finds a secret in a text. Loads the rules only if there is a text to check. */
async function secretIn(content: string, file: string): Promise<string | undefined> {
  const [{ lintSource }, { creator: rule }] = await Promise.all([
    import("@secretlint/core"),
    import("@secretlint/secretlint-rule-preset-recommend"),
  ]);
  const id = "@secretlint/secretlint-rule-preset-recommend";
  const { messages } = await lintSource({
    source: { filePath: file, ext: path.extname(file), contentType: "text", content },
    options: { config: { rules: [{ id, rule }] }, maskSecrets: true, noPhysicFilePath: true },
  });
  return messages[0]?.ruleId.replace("@secretlint/secretlint-rule-", "secretlint: ");
}

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

/** Options that gcloud 528 knows with every subcommand, as far as scripts use them. */
const EVERYWHERE = ["--flatten", "--format", "--project", "--quiet"];

/** The options of gcloud 528 that scripts use, by subcommand: what is not here, the real one refuses. */
export const GCLOUD_FLAGS: Readonly<Record<string, readonly string[]>> = {
  "auth print-access-token": [],
  "services list": ["--enabled"],
  "services enable": [],
  "projects describe": [],
  "storage buckets describe": ["--raw"],
  "storage buckets create": ["--location", "--public-access-prevention", "--uniform-bucket-level-access"],
  "storage buckets update": ["--public-access-prevention", "--uniform-bucket-level-access", "--versioning"],
  "storage buckets get-iam-policy": [],
  "storage buckets add-iam-policy-binding": ["--condition", "--member", "--role"],
  "storage buckets remove-iam-policy-binding": ["--all", "--member", "--role"],
  "kms keyrings describe": ["--location"],
  "kms keyrings create": ["--location"],
  "kms keys describe": ["--keyring", "--location"],
  "kms keys create": ["--keyring", "--location", "--next-rotation-time", "--purpose", "--rotation-period"],
  "kms keys get-iam-policy": ["--keyring", "--location"],
  "kms keys add-iam-policy-binding": ["--condition", "--keyring", "--location", "--member", "--role"],
  "kms keys remove-iam-policy-binding": ["--all", "--keyring", "--location", "--member", "--role"],
  "iam service-accounts describe": [],
};

/** Bash that ends a fake gcloud as the real one ends where it does not know a subcommand or an option. */
export const REFUSE_UNKNOWN_FLAGS = `
refuse() { echo "ERROR: (gcloud.$1) unrecognized arguments: $2" >&2; exit 2; }
words=(); flags=()
for word; do case $word in --*) flags+=("\${word%%=*}") ;; *) words+=("$word") ;; esac; done
case " \${words[*]} " in
${Object.entries(GCLOUD_FLAGS)
  .map(([subcommand, flags]) => `  " ${subcommand} "*) known=" ${[...EVERYWHERE, ...flags].join(" ")} " ;;`)
  .join("\n")}
  *) refuse "\${words[*]}" "\${words[*]}" ;;
esac
for flag in "\${flags[@]}"; do [[ $known == *" $flag "* ]] || refuse "\${words[*]}" "$flag"; done`;

/** The options that the help of the installed gcloud lists for a subcommand; undefined without a gcloud. */
export function listedFlags(subcommand: string): Set<string> | undefined {
  const config = mkdtempSync(path.join(tmpdir(), "hyperion-gcloud-"));
  try {
    const { status, stdout } = spawnSync("gcloud", [...subcommand.split(" "), "--help"], {
      encoding: "utf8",
      env: { ...process.env, CLOUDSDK_CONFIG: config, PAGER: "cat" },
    });
    if (status !== 0) return undefined;
    return new Set(stdout.replaceAll("--[no-]", "--").match(/--[a-z][a-z-]*/g));
  } finally {
    rmSync(config, { recursive: true, force: true });
  }
}

/** Options of a subcommand that the fake takes. */
export function takenFlags(subcommand: string): string[] {
  return [...EVERYWHERE, ...(GCLOUD_FLAGS[subcommand] ?? [])];
}

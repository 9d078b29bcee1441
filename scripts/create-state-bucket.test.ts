import { readFileSync } from "node:fs";
import * as path from "node:path";
import { beforeEach, describe, expect, it, test } from "vitest";
import { GCLOUD_FLAGS, listedFlags, REFUSE_UNKNOWN_FLAGS, takenFlags } from "../test/support/gcloud-flags.ts";
import { root, useShell } from "../test/support/shell.ts";

const script = "scripts/create-state-bucket.sh";

/** Keeps what was made as files in $HOME/made, and answers as gcloud 528 does; ANSWERS names what goes wrong. */
const gcloud = `
record "$@"
${REFUSE_UNKNOWN_FLAGS}
made() { [ -e "$HOME/made/$1" ]; }
make() { mkdir -p "$HOME/made"; touch "$HOME/made/$1"; }
missing() { echo "ERROR: (gcloud.$1) $2" >&2; exit 1; }
option() { local name=$1; shift; while [ $# -gt 0 ]; do [ "$1" = "$name" ] && echo "$2"; shift; done; }
truth() { if made "$1"; then echo "$2"; else echo "$3"; fi; }
# What a call is about: a bucket or a key by its name.
of=\${4#gs://}
case "$1 $2 $3" in
  "auth print-access-token "*) if has logged-out; then missing auth.print-access-token "You do not currently have an active account selected."; fi; echo token ;;
  "services list "*) echo logging.googleapis.com; made storage && echo storage.googleapis.com; made kms && echo cloudkms.googleapis.com; exit 0 ;;
  "services enable "*) has no-enable && missing services.enable "PERMISSION_DENIED: not yours"; [[ "$*" == *storage.g* ]] && make storage; [[ "$*" == *cloudkms* ]] && make kms; exit 0 ;;
  "projects describe "*) echo 123456789012 ;;
  "storage buckets describe")
    has foreign && missing storage.buckets.describe "HTTPError 403: me does not have storage.buckets.get access"
    made "$of" || missing storage.buckets.describe "$4 not found: 404."
    if [[ "$*" == *--raw* ]]; then if has other-project; then echo 987654321098; else echo 123456789012; fi
    elif [[ "$*" == *--format* ]]; then echo "$(truth "$of-versioning" True None),$(truth "$of-uniform" True False),$(truth "$of-pap" enforced inherited)"; fi
    exit 0 ;;
  "storage buckets create") make "$of"; make "$of-uniform"; make "$of-pap" ;;
  "storage buckets update") case $5 in --versioning) make "$of-versioning" ;; --uniform*) make "$of-uniform" ;; --public*) make "$of-pap" ;; esac ;;
  "kms keyrings describe") made ring || missing kms.keyrings.describe "NOT_FOUND: KeyRing $4 not found." ;;
  "kms keyrings create") make ring ;;
  "kms keys describe") made "key-$of" || missing kms.keys.describe "NOT_FOUND: CryptoKey $4 not found." ;;
  "kms keys create") make "key-$of" ;;
  "iam service-accounts describe") has "no-$4" && missing iam.service-accounts.describe "NOT_FOUND: Unknown service account."; exit 0 ;;
  *get-iam-policy)
    # A binding of somebody else's, then those that were added, as csv[no-heading](role,member,condition) prints them.
    echo "roles/viewer,user:dana@example.com,"
    [ -e "$HOME/made/$1-$of-bindings" ] && cat "$HOME/made/$1-$of-bindings"
    exit 0 ;;
  *add-iam-policy-binding)
    has conditions && [ -z "$(option --condition "$@")" ] && missing "$1" "Adding a binding without specifying a condition to a policy containing conditions is prohibited in non-interactive mode."
    mkdir -p "$HOME/made"; echo "$(option --role "$@"),$(option --member "$@")," >>"$HOME/made/$1-$of-bindings" ;;
esac`;

const shell = useShell();

beforeEach(() => {
  shell.fake("gcloud", gcloud);
});

const changes = (): string[] =>
  shell.calls().filter((call) => / (create|update|enable|add-iam-policy-binding) /.test(call));

const [project, bucket] = ["production-471918", "gs://production-471918-pulumi-state"];
const images = `${bucket}-images`;
const [ci, preview] = ["hyperion-ci", "hyperion-ci-preview"].map(
  (name) => `${name}@${project}.iam.gserviceaccount.com`,
) as [string, string];
const end = `--project ${project} --quiet`;
const inRing = "--keyring hyperion-registry --location us-central1";
const enable = `gcloud services enable storage.googleapis.com cloudkms.googleapis.com ${end}`;
const update = (url: string, option: string): string =>
  `gcloud storage buckets update ${url} ${option} ${end}`;
const createBucket = (url: string): string[] => [
  `gcloud storage buckets create ${url} --location us-central1 --uniform-bucket-level-access --public-access-prevention ${end}`,
  update(url, "--versioning"),
];
const createRing = `gcloud kms keyrings create hyperion-registry --location us-central1 ${end}`;
const createKey = (key: string): string =>
  `gcloud kms keys create ${key} ${inRing} --purpose encryption --rotation-period 90d --next-rotation-time p90d ${end}`;
const grants = (account: string, url: string, bucketRole: string, keyRole: string): string[] => [
  `gcloud storage buckets add-iam-policy-binding ${url} --member serviceAccount:${account} --role ${bucketRole} --condition None ${end}`,
  `gcloud kms keys add-iam-policy-binding pulumi-state${url === images ? "-images" : ""} ${inRing} --member serviceAccount:${account} --role ${keyRole} --condition None ${end}`,
];
const reads = ["roles/storage.objectViewer", "roles/cloudkms.cryptoKeyDecrypter"] as const;
const allGrants = [
  ...grants(ci, images, "roles/storage.objectUser", "roles/cloudkms.cryptoKeyEncrypterDecrypter"),
  ...grants(preview, bucket, ...reads),
  ...grants(preview, images, ...reads),
];
const keys = [createKey("pulumi-state"), createKey("pulumi-state-images")];
const everything = [
  enable,
  ...createBucket(bucket),
  ...createBucket(images),
  createRing,
  ...keys,
  ...allGrants,
];

const installed = listedFlags("auth print-access-token") !== undefined;

test.skipIf(!installed).each(Object.keys(GCLOUD_FLAGS))(
  "the real gcloud knows what the fake takes: %s",
  (subcommand) => {
    const listed = listedFlags(subcommand);
    expect(takenFlags(subcommand).filter((flag) => !listed?.has(flag))).toEqual([]);
  },
);

test("the fake refuses an option that the real gcloud does not know", () => {
  const { status, stderr } = shell.bash("gcloud storage buckets get-iam-policy gs://b --filter=x");
  expect(stderr).toContain("unrecognized arguments: --filter");
  expect(status).toBe(2);
});

describe("what it makes", () => {
  it("makes everything, once", () => {
    const first = shell.run(script);
    expect(first.stderr).toBe("");
    expect(first.status).toBe(0);
    expect(changes()).toEqual(everything);
    shell.forgetCalls();
    const second = shell.run(script);
    expect(second.status).toBe(0);
    expect(changes()).toEqual([]);
    expect(second.stdout).not.toMatch(/^\+/m);
    expect(second.stdout).toContain(`= bucket ${bucket}\n`);
    expect(second.stdout).toContain(`= bucket ${images}\n`);
  });

  it("grants beside bindings that have a condition", () => {
    shell.environment["ANSWERS"] = "conditions";
    shell.write(
      `made/storage-${images.slice("gs://".length)}-bindings`,
      `roles/storage.objectUser,serviceAccount:${ci},request.time < x\n`,
    );
    expect(shell.run(script)).toMatchObject({ status: 0, stderr: "" });
    expect(changes().slice(-6)).toEqual(allGrants);
  });

  it("tells what CI holds on the infrastructure's state, as a script before this one granted it", () => {
    const held = `roles/storage.objectUser,serviceAccount:${ci},\n`;
    shell.write(`made/storage-${bucket.slice("gs://".length)}-bindings`, held);
    shell.write(
      "made/kms-pulumi-state-bindings",
      `roles/cloudkms.cryptoKeyDecrypter,serviceAccount:${ci},\n`,
    );
    expect(shell.run(script).stdout).toMatch(
      new RegExp(
        "\n\nCI may still write the state of the infrastructure. Once it publishes from its own, take that back:\n" +
          `  gcloud storage buckets remove-iam-policy-binding ${bucket} --project ${project} --member serviceAccount:${ci} --role roles/storage.objectUser --all\n` +
          `  gcloud kms keys remove-iam-policy-binding pulumi-state ${inRing} --project ${project} --member serviceAccount:${ci} --role roles/cloudkms.cryptoKeyDecrypter --all\n$`,
      ),
    );
  });

  it("says what to do next", () => {
    const { stdout } = shell.run(script);
    const ring = `gcpkms://projects/${project}/locations/us-central1/keyRings/hyperion-registry/cryptoKeys`;
    expect(stdout).toContain(`  pulumi login ${bucket}\n`);
    expect(stdout).toContain(`  pulumi stack init production --secrets-provider=${ring}/pulumi-state\n`);
    expect(stdout).toContain(
      `  PULUMI_BACKEND_URL=${images} pulumi stack init production-images --secrets-provider=${ring}/pulumi-state-images\n`,
    );
    expect(stdout).toContain(
      `  pulumi stack change-secrets-provider --stack production "${ring}/pulumi-state"\n`,
    );
    expect(stdout).toContain(`  gh variable set PULUMI_BACKEND_URL --body ${bucket}\n`);
    expect(stdout).toContain(`  gh variable set PULUMI_IMAGES_BACKEND_URL --body ${images}\n`);
    expect(stdout).not.toContain("CI may still write");
    expect(stdout).not.toContain("Run this again");
  });

  test.each<[string, string[], string[]]>([
    [
      "an API",
      ["storage"],
      [`gcloud services enable cloudkms.googleapis.com ${end}`, ...everything.slice(1)],
    ],
    [
      "a bucket that is neither versioned nor closed",
      ["storage", "kms", bucket.slice("gs://".length)],
      [
        update(bucket, "--versioning"),
        update(bucket, "--uniform-bucket-level-access"),
        update(bucket, "--public-access-prevention"),
        ...everything.slice(3),
      ],
    ],
    ["a key ring without a key", ["ring"], everything.filter((call) => call !== createRing)],
    ["one of the keys", ["ring", "key-pulumi-state"], [...everything.slice(0, 5), ...everything.slice(7)]],
  ])("fixes what is there in part: %s", (_, made, expected) => {
    for (const name of made) shell.write(`made/${name}`, "");
    expect(shell.run(script).status).toBe(0);
    expect(changes()).toEqual(expected);
  });

  it("leaves out accounts that do not exist yet, and grants when they do", () => {
    shell.environment["ANSWERS"] = `no-${ci} no-${preview}`;
    const { status, stdout } = shell.run(script);
    expect(status).toBe(0);
    expect(changes()).toEqual(everything.slice(0, 8));
    expect(stdout).toContain(`- ${ci} does not exist yet: nothing granted\n`);
    expect(stdout).toContain(`Run this again when pulumi up has made: ${ci} ${preview}\n`);
    shell.forgetCalls();
    shell.environment["ANSWERS"] = "";
    expect(shell.run(script).status).toBe(0);
    expect(changes()).toEqual(allGrants);
  });

  it("takes names from its options", () => {
    const args = "--project other-1 --location europe-west1 --bucket gs://states --key-ring ring --key lock";
    expect(shell.run(script, args.split(" ")).status).toBe(0);
    const made = changes().join("\n");
    expect(made).toContain("gcloud storage buckets create gs://states --location europe-west1");
    expect(made).toContain("gcloud storage buckets create gs://states-images --location europe-west1");
    expect(made).toContain("gcloud kms keys create lock --keyring ring --location europe-west1");
    expect(made).toContain("gcloud kms keys create lock-images --keyring ring --location europe-west1");
    expect(made).toContain("--member serviceAccount:hyperion-ci@other-1.iam.gserviceaccount.com");
    expect(made).not.toContain(project);
  });

  it("calls the preview account as the stack does", () => {
    const component = readFileSync(path.join(root, "components/ci/ci-service-account.ts"), "utf8");
    expect(component).toContain("-preview`");
  });
});

describe("errors", () => {
  test.each<[string, string[], string]>([
    ["", ["--nonsense"], "unknown option --nonsense; see --help"],
    ["", ["--bucket"], "--bucket takes a value; see --help"],
    [
      "",
      ["--bucket", "My_Bucket", "--images-bucket", "mine"],
      "the name My_Bucket of a bucket must be 3 to 63 lower-case letters, digits, - and _, beginning and ending with a letter or digit",
    ],
    [
      "",
      ["--bucket", "states", "--images-bucket", "gs://states"],
      "--images-bucket must be another bucket than --bucket: CI may write it",
    ],
    ["", ["--key", "k", "--images-key", "k"], "--images-key must be another key than --key: CI may use it"],
    [
      "",
      ["--key", "a b", "--images-key", "c"],
      "the name a b of a key or key ring must be 1 to 63 letters, digits, - and _",
    ],
    ["", ["--ci-account", "ci"], "ci must be the e-mail address of a service account"],
    ["logged-out", [], "not logged in at Google: gcloud auth login"],
  ])("%s %j", (answers, args, message) => {
    shell.environment["ANSWERS"] = answers;
    const { status, stderr } = shell.run(script, args);
    expect(stderr).toBe(`Nothing was begun:\n  - ${message}\n`);
    expect(status).toBe(2);
    expect(changes()).toEqual([]);
  });

  it("no gcloud", () => {
    shell.without("gcloud");
    expect(shell.run(script).stderr).toBe(
      "Nothing was begun:\n  - gcloud is not installed: https://cloud.google.com/sdk/docs/install\n",
    );
  });

  it("stops where it cannot tell whether a thing exists, instead of making a second", () => {
    shell.environment["ANSWERS"] = "foreign";
    const { status, stderr } = shell.run(script);
    expect(status).toBe(1);
    expect(stderr).toContain("does not have storage.buckets.get access");
    expect(stderr).toContain(
      `Stopped: gcloud could not tell whether this exists: gcloud storage buckets describe ${bucket}\n`,
    );
    expect(changes()).toEqual([enable]);
  });

  it("stops at a bucket of that name in another project", () => {
    shell.environment["ANSWERS"] = "other-project";
    shell.write(`made/${bucket.slice("gs://".length)}`, "");
    const { status, stderr } = shell.run(script);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `Stopped: ${bucket} is of another project, number 987654321098; another name: --bucket, --images-bucket\n`,
    );
    expect(changes()).toEqual([enable]);
  });

  it("stops at the first thing that cannot be made", () => {
    shell.environment["ANSWERS"] = "no-enable";
    const { status, stderr } = shell.run(script);
    expect(status).toBe(1);
    expect(stderr).toContain("PERMISSION_DENIED: not yours");
    expect(changes()).toEqual([enable]);
  });

  it("prints its options with --help", () => {
    const { status, stdout } = shell.run(script, ["--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain("  --preview-account EMAIL");
    expect(shell.calls()).toEqual([]);
  });
});

import { z } from "zod";
import { GITHUB_ISSUER } from "../../components/ci/github-claims.ts";
import permissions from "../../docs/permissions.json" with { type: "json" };
import {
  BOOTSTRAP_APIS,
  type GoogleApi,
  iam,
  kms,
  organizationPolicy,
  serviceUsage,
  storage,
} from "../../google/apis.ts";
import { accountName } from "../../google/full-names.ts";
import { stopError } from "../../problems/stop-error.ts";
import { NAMESPACE } from "../../problems/setting-commands.ts";
import { accountOf, bucketOf, grants, keyOf, projectOf, revocations } from "./grants.ts";
import type { Google } from "./google.ts";
import {
  type Finding,
  found,
  NotYet,
  open,
  PermissionMissing,
  type Step,
  type Todo,
  together,
} from "./step.ts";
import {
  account,
  DRIFT_ACCOUNT_ID,
  keyName,
  keyRingName,
  type Stack,
  stacksOf,
  type Wanted,
} from "./wanted.ts";

const APIS = "APIs";
export const STATE = "State";
export const MAINTAINERS = "Maintainers";
export const CI_ACCOUNTS = "CI's accounts";
export const DRIFT = "Drift";

const usesKms = ({ secretsProvider }: Wanted): boolean => secretsProvider === undefined;

/** Inspects. What the caller cannot read counts as missing, with the commands for a person who can. */
async function unlessRefused(missing: readonly Todo[], inspect: () => Promise<Finding>): Promise<Finding> {
  try {
    return await inspect();
  } catch (error) {
    if (!(error instanceof PermissionMissing)) throw error;
    const todo = missing.map((each) => ({ ...each, apply: () => Promise.reject(error) }));
    return { have: [], todo, notes: [error.message] };
  }
}

/** Inspects a resource that `todo` makes. */
function made(
  google: Google,
  api: GoogleApi,
  path: string,
  todo: Todo,
  existing = todo.what,
): Promise<Finding> {
  return unlessRefused([todo], async () =>
    (await google.read(api, path)) === undefined ? open(todo) : found(existing),
  );
}

export function apis(google: Google, wanted: Wanted): Step {
  const { project } = wanted;
  const needed = BOOTSTRAP_APIS.filter((name) => usesKms(wanted) || name !== "cloudkms.googleapis.com");
  const answer = z.object({ services: z.array(z.object({ name: z.string() })).default([]) });
  const todos = needed.map((name) => ({
    what: name,
    commands: [`gcloud services enable ${name} --project ${project}`],
    apply: () => google.write(serviceUsage, "POST", `v1/projects/${project}/services/${name}:enable`, {}),
  }));
  const inspect = async () => {
    const path = `v1/projects/${project}/services?filter=state:ENABLED&pageSize=200`;
    const { services } = answer.parse(await google.read(serviceUsage, path));
    const enabled = services.map(({ name }) => name.split("/").at(-1));
    return together(todos.map((todo) => (enabled.includes(todo.what) ? found(todo.what) : open(todo))));
  };
  return { name: APIS, inspect: () => unlessRefused(todos, inspect) };
}

const effective = z.object({
  spec: z
    .object({
      rules: z
        .array(
          z.object({
            enforce: z.boolean().optional(),
            denyAll: z.boolean().optional(),
            allowAll: z.boolean().optional(),
            values: z.object({ allowedValues: z.array(z.string()).default([]) }).optional(),
          }),
        )
        .default([]),
    })
    .default({ rules: [] }),
});

/** Finds the organization policies that would refuse a later step. A project cannot read custom constraints. */
export function organization(google: Google, { project, github }: Wanted): Step {
  const rulesOf = async (constraint: string) => {
    const path = `projects/${project}/policies/${constraint}:getEffectivePolicy`;
    return effective.parse((await google.read(organizationPolicy, path)) ?? {}).spec.rules;
  };
  const look = async (): Promise<Finding> => {
    const [accounts, issuers, domains, members] = await Promise.all(
      [
        ...["iam.disableServiceAccountCreation", "iam.workloadIdentityPoolProviders"],
        ...["iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers"],
      ].map(rulesOf),
    );
    const refuses: string[] = [];
    if (accounts?.some(({ enforce }) => enforce === true) === true)
      refuses.push("constraints/iam.disableServiceAccountCreation refuses the service accounts of CI");
    const allowed = issuers?.flatMap(({ values }) => values?.allowedValues ?? []) ?? [];
    const restricts = issuers?.some(({ allowAll }) => allowAll === true) === false && issuers.length > 0;
    if (github !== undefined && restricts && !allowed.includes(GITHUB_ISSUER))
      refuses.push(`constraints/iam.workloadIdentityPoolProviders refuses the issuer ${GITHUB_ISSUER}`);
    const named = domains?.flatMap(({ values }) => values?.allowedValues ?? []) ?? [];
    const notes = [
      ...(named.length > 0
        ? [
            `policies can only name members of ${named.join(", ")}: Google refuses \`user:\` and \`group:\` of other organizations`,
          ]
        : []),
      ...(members?.some(({ enforce }) => enforce === true) === true
        ? ["constraints/iam.managed.allowedPolicyMembers restricts the members that a policy can name"]
        : []),
    ];
    if (refuses.length === 0) return { ...found("no policy refuses a later step"), notes };
    const ask = `Ask a person with roles/orgpolicy.policyAdmin for an exception for ${project}; then run this again.`;
    throw stopError([...refuses, ask].join("\n"));
  };
  return {
    name: "Organization policies",
    needs: [APIS],
    inspect: () =>
      look().catch((error: unknown) => {
        if (!(error instanceof PermissionMissing)) throw error;
        const notes = [
          `cannot be read with this login, so a refusal only shows when a later step fails (${error.message})`,
        ];
        return { have: [], todo: [], notes };
      }),
  };
}

const bucketAnswer = z.object({
  projectNumber: z.string(),
  versioning: z.object({ enabled: z.boolean() }).optional(),
  iamConfiguration: z.object({
    uniformBucketLevelAccess: z.object({ enabled: z.boolean() }),
    publicAccessPrevention: z.string(),
  }),
});

/** The settings of a bucket with states. */
const BUCKET = {
  versioning: { enabled: true },
  iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: "enforced" },
};

export function state(google: Google, wanted: Wanted): Step {
  return {
    name: STATE,
    needs: [APIS],
    inspect: async () => {
      const stacks = stacksOf(wanted);
      const buckets = await Promise.all(stacks.map((stack) => bucket(google, wanted, stack)));
      return together([...buckets, ...(usesKms(wanted) ? await keys(google, wanted, stacks) : [])]);
    },
  };
}

const BUCKET_OPTIONS = "--uniform-bucket-level-access --public-access-prevention";

function bucket(google: Google, { project, region }: Wanted, stack: Stack): Promise<Finding> {
  const { bucket: name } = stack;
  const what = `bucket gs://${name}`;
  const missing = {
    what,
    commands: [
      `gcloud storage buckets create gs://${name} --project ${project} --location ${region} ${BUCKET_OPTIONS}`,
      `gcloud storage buckets update gs://${name} --versioning`,
    ],
    apply: () => google.write(storage, "POST", `b?project=${project}`, { name, location: region, ...BUCKET }),
  };
  return unlessRefused([missing], async () => {
    const answer = await google.read(storage, `b/${name}`);
    if (answer === undefined) return open(missing);
    const { projectNumber, versioning, iamConfiguration } = bucketAnswer.parse(answer);
    await refuseOthers(google, stack, projectNumber);
    const isRight =
      versioning?.enabled === true &&
      iamConfiguration.uniformBucketLevelAccess.enabled &&
      iamConfiguration.publicAccessPrevention === "enforced";
    return isRight
      ? found(what)
      : open({
          what: `${what}: object versions, uniform access, never public`,
          commands: [`gcloud storage buckets update gs://${name} --versioning ${BUCKET_OPTIONS}`],
          apply: () => google.write(storage, "PATCH", `b/${name}`, BUCKET),
        });
  });
}

/** Bucket names are global, and a reader of one state in a bucket can read all of them. */
async function refuseOthers(
  google: Google,
  { bucket: name, name: stack }: Stack,
  owner: string,
): Promise<void> {
  const another = "Name another bucket: --bucket NAME";
  const own = await google.projectNumber();
  if (own !== owner) throw stopError(`gs://${name} belongs to another project, number ${owner}. ${another}`);
  const listed = z
    .object({ items: z.array(z.object({ name: z.string() })).default([]) })
    .parse(await google.read(storage, `b/${name}/o?prefix=.pulumi/stacks/&fields=items/name`));
  const others = listed.items
    .map((item) => item.name)
    .filter((file) => /\.json(\.gz)?$/.test(file))
    .filter((file) => !file.startsWith(`.pulumi/stacks/${NAMESPACE}/${stack}.json`));
  if (others.length > 0)
    throw stopError(
      `gs://${name} holds other states, which every preview could then read: ${others.join(", ")}. ${another}`,
    );
}

function keys(google: Google, wanted: Wanted, stacks: readonly Stack[]): Promise<Finding[]> {
  const { project, region } = wanted;
  const ring = keyRingName(wanted);
  const [at = "", ringId = ""] = ring.split("/keyRings/");
  const where = `--location ${region} --project ${project}`;
  return Promise.all([
    made(google, kms, ring, {
      what: `key ring ${ringId}`,
      commands: [`gcloud kms keyrings create ${ringId} ${where}`],
      apply: () => google.write(kms, "POST", `${at}/keyRings?keyRingId=${ringId}`, {}),
    }),
    ...stacks.map((stack) =>
      made(
        google,
        kms,
        keyName(wanted, stack),
        {
          what: `key ${stack.key}, with a new version every 90 days`,
          commands: [
            `gcloud kms keys create ${stack.key} --keyring ${ringId} ${where} --purpose encryption --rotation-period 90d --next-rotation-time p90d`,
          ],
          apply: () =>
            google.write(kms, "POST", `${ring}/cryptoKeys?cryptoKeyId=${stack.key}`, {
              purpose: "ENCRYPT_DECRYPT",
              rotationPeriod: `${90 * 86_400}s`,
              nextRotationTime: new Date(Date.now() + 90 * 86_400_000).toISOString(),
            }),
        },
        `key ${stack.key}`,
      ),
    ),
  ]);
}

const ADMINISTERS = "roles/storage.admin";
const ENCRYPTS = "roles/cloudkms.cryptoKeyEncrypterDecrypter";
const DECRYPTS = "roles/cloudkms.cryptoKeyDecrypter";

async function stateGrants(
  google: Google,
  wanted: Wanted,
  stack: Stack,
  members: readonly string[],
  [onBucket, onKey]: readonly [string, string],
): Promise<Finding> {
  const of = (role: string) => members.map((member) => ({ role, member }));
  return together([
    await grants(google, bucketOf(stack), of(onBucket)),
    ...(usesKms(wanted) ? [await grants(google, keyOf(wanted, stack), of(onKey))] : []),
  ]);
}

/** Grants come before removals, so that the caller keeps access. */
export function maintainers(google: Google, wanted: Wanted): Step {
  return {
    name: MAINTAINERS,
    needs: [STATE],
    inspect: async () =>
      together(
        await Promise.all(
          stacksOf(wanted).map((stack) =>
            stateGrants(google, wanted, stack, wanted.maintainers, [ADMINISTERS, ENCRYPTS]),
          ),
        ),
      ),
  };
}

/** Google grants every Editor of the project write access to a new bucket, and every Viewer read access. */
export function legacyBindings(google: Google, wanted: Wanted): Step {
  return {
    name: "Legacy bindings",
    needs: [MAINTAINERS],
    inspect: async () => {
      const stacks = stacksOf(wanted);
      for (const { bucket: name } of stacks)
        if ((await google.read(storage, `b/${name}`)) === undefined)
          throw new NotYet("removes the roles of the project's Owners, Editors and Viewers on a new bucket");
      const ofProject = (_: string, member: string) => /^project(Owner|Editor|Viewer):/.test(member);
      // A stack that holds registry and images gives CI access to its state.
      const ofCi = (_: string, member: string) => member === account(wanted, wanted.ciAccountId);
      const [infrastructure] = stacks;
      const todo = await Promise.all([
        ...stacks.map((stack) => revocations(google, bucketOf(stack), ofProject)),
        revocations(google, bucketOf(infrastructure), ofCi),
        ...(usesKms(wanted) ? [revocations(google, keyOf(wanted, infrastructure), ofCi)] : []),
      ]);
      const none = todo.flat().length === 0;
      return {
        have: none ? ["no role for the Owners, Editors and Viewers of the project"] : [],
        todo: todo.flat(),
      };
    },
  };
}

/** The roles of CI's accounts on the states; `pulumi up` makes the accounts. */
export function ciGrants(google: Google, wanted: Wanted, needs: readonly string[]): Step {
  return {
    name: CI_ACCOUNTS,
    needs,
    inspect: async () => {
      const [infrastructure, images] = stacksOf(wanted);
      const [ciId, previewId] = [wanted.ciAccountId, `${wanted.ciAccountId}-preview`];
      const preview = [account(wanted, previewId)];
      const reads = ["roles/storage.objectViewer", DECRYPTS] as const;
      return together([
        await stateGrants(
          google,
          wanted,
          images,
          [account(wanted, ciId)],
          ["roles/storage.objectUser", ENCRYPTS],
        ),
        await stateGrants(google, wanted, infrastructure, preview, reads),
        await stateGrants(google, wanted, images, preview, reads),
      ]);
    },
  };
}

const driftJob = permissions.find(({ job }) => job === "drift");
const DRIFT_ROLE = driftJob?.role ?? "";
const DRIFT_PERMISSIONS = driftJob?.grants.flatMap((grant) => grant.permissions) ?? [];

/** An account with only the read permissions of the nightly drift run. */
export function drift(google: Google, wanted: Wanted, needs: readonly string[]): Step {
  const { project, poolId } = wanted;
  const email = account(wanted, DRIFT_ACCOUNT_ID);
  return {
    name: DRIFT,
    needs,
    inspect: async () => {
      const [infrastructure] = stacksOf(wanted);
      const pool = `projects/${await google.projectNumber()}/locations/global/workloadIdentityPools/${poolId}`;
      const job = `principalSet://iam.googleapis.com/${pool}/attribute.access/drift`;
      const acts = [{ role: "roles/iam.workloadIdentityUser", member: job }];
      return together([
        await driftRole(google, project),
        await driftAccount(google, project),
        await grants(google, projectOf(wanted), [
          { role: `projects/${project}/roles/${DRIFT_ROLE}`, member: email },
        ]),
        await grants(google, accountOf(wanted, DRIFT_ACCOUNT_ID), acts),
        // CI writes the images' state, so the drift run reads it as the preview account, which can only read.
        await grants(google, accountOf(wanted, `${wanted.ciAccountId}-preview`), acts),
        await stateGrants(google, wanted, infrastructure, [email], ["roles/storage.objectViewer", DECRYPTS]),
      ]);
    },
  };
}

function driftRole(google: Google, project: string): Promise<Finding> {
  const options = `${DRIFT_ROLE} --project ${project} --permissions ${DRIFT_PERMISSIONS.join(",")}`;
  const role = { title: "Drift of the Hyperion registry", includedPermissions: DRIFT_PERMISSIONS };
  const missing = {
    what: `custom role ${DRIFT_ROLE}: ${DRIFT_PERMISSIONS.length} read permissions`,
    commands: [`gcloud iam roles create ${options}`],
    apply: () => google.write(iam, "POST", `projects/${project}/roles`, { roleId: DRIFT_ROLE, role }),
  };
  return unlessRefused([missing], async () => {
    const name = `projects/${project}/roles/${DRIFT_ROLE}`;
    const answer = await google.read(iam, name);
    if (answer === undefined) return open(missing);
    const { includedPermissions } = z
      .object({ includedPermissions: z.array(z.string()).default([]) })
      .parse(answer);
    return [...includedPermissions].sort().join() === [...DRIFT_PERMISSIONS].sort().join()
      ? found(missing.what)
      : open({
          what: missing.what,
          commands: [`gcloud iam roles update ${options}`],
          apply: () => google.write(iam, "PATCH", `${name}?updateMask=includedPermissions`, role),
        });
  });
}

function driftAccount(google: Google, project: string): Promise<Finding> {
  return made(google, iam, accountName(project, DRIFT_ACCOUNT_ID), {
    what: `service account ${DRIFT_ACCOUNT_ID}`,
    commands: [`gcloud iam service-accounts create ${DRIFT_ACCOUNT_ID} --project ${project}`],
    apply: () =>
      google.write(iam, "POST", `projects/${project}/serviceAccounts`, {
        accountId: DRIFT_ACCOUNT_ID,
        serviceAccount: { displayName: "Compares the registry with its stack" },
      }),
  });
}

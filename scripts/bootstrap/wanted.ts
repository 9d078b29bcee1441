import { accountEmail } from "../../google/full-names.ts";

/** What `npm run bootstrap` was asked for. */
export interface Wanted {
  project: string;
  region: string;
  /** `OWNER/NAME`; undefined without GitHub. */
  github: string | undefined;
  /** Principals who may work on both states. */
  maintainers: readonly string[];
  /** As `pulumi stack init` takes it; undefined for keys of Cloud KMS. */
  secretsProvider: string | undefined;
  bucket: string;
  drift: boolean;
  ciAccountId: string;
  poolId: string;
}

/** A stack, and where its state is. */
export interface Stack {
  name: "production" | "production-images";
  bucket: string;
  /** Name of its key in the key ring. */
  key: string;
  settings: Readonly<Record<string, string>>;
}

const KEY_RING = "hyperion-state";

/** The two stacks: the infrastructure's, which maintainers alone write, and the images', which CI writes. */
export function stacksOf({ project, region, bucket }: Wanted): [Stack, Stack] {
  const place = { "gcp:project": project, "gcp:region": region, "gcp:skipRegionValidation": "true" };
  return [
    { name: "production", bucket, key: "pulumi-state", settings: { ...place, publishImages: "false" } },
    {
      name: "production-images",
      bucket: `${bucket}-images`,
      key: "pulumi-state-images",
      settings: { ...place, manageRegistry: "false" },
    },
  ];
}

/** Full name of the key ring, as Cloud KMS has it. */
export const keyRingName = ({ project, region }: Wanted): string =>
  `projects/${project}/locations/${region}/keyRings/${KEY_RING}`;

export const keyName = (wanted: Wanted, { key }: Stack): string => `${keyRingName(wanted)}/cryptoKeys/${key}`;

export const account = ({ project }: Wanted, id: string): string =>
  `serviceAccount:${accountEmail(project, id)}`;
export const DRIFT_ACCOUNT_ID = "hyperion-drift";

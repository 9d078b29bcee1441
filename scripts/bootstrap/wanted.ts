import { accountEmail } from "../../google/full-names.ts";

/** The set-up that the caller asks for. */
export interface Wanted {
  project: string;
  region: string;
  /** `OWNER/NAME`; undefined without GitHub. */
  github: string | undefined;
  /** Principals with access to both states. */
  maintainers: readonly string[];
  /** For `pulumi stack init`; undefined: keys of Cloud KMS. */
  secretsProvider: string | undefined;
  bucket: string;
  drift: boolean;
  ciAccountId: string;
  poolId: string;
}

export interface Stack {
  name: "production" | "production-images";
  bucket: string;
  /** The name of its key in the key ring. */
  key: string;
  settings: Readonly<Record<string, string>>;
}

const KEY_RING = "hyperion-state";

/** The stack of the infrastructure, which only maintainers write, and the stack of the images, which CI writes. */
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

/** The full name of the key ring in Cloud KMS. */
export const keyRingName = ({ project, region }: Wanted): string =>
  `projects/${project}/locations/${region}/keyRings/${KEY_RING}`;

export const keyName = (wanted: Wanted, { key }: Stack): string => `${keyRingName(wanted)}/cryptoKeys/${key}`;

export const account = ({ project }: Wanted, id: string): string =>
  `serviceAccount:${accountEmail(project, id)}`;
export const DRIFT_ACCOUNT_ID = "hyperion-drift";

import { z } from "zod";
import { bool, duration, optionalTexts, text, wholeNumber } from "./http/body.ts";

const texts = z.array(text);

/** Google's errors name the message type. */
function oneOf<const T extends readonly [string, ...string[]]>(message: string, values: T) {
  return z.enum(values, `type.googleapis.com/google.devtools.artifactregistry.v1.${message}`);
}

const cleanupPolicy = z.strictObject({
  id: text.optional(),
  action: oneOf("CleanupPolicy.Action", ["DELETE", "KEEP"]).optional(),
  condition: z
    .strictObject({
      tagState: oneOf("CleanupPolicyCondition.TagState", ["TAGGED", "UNTAGGED", "ANY"]).optional(),
      tagPrefixes: texts.optional(),
      versionNamePrefixes: texts.optional(),
      packageNamePrefixes: texts.optional(),
      olderThan: duration.optional(),
      newerThan: duration.optional(),
    })
    .optional(),
  mostRecentVersions: z
    .strictObject({ packageNamePrefixes: texts.optional(), keepCount: wholeNumber.optional() })
    .optional(),
});

/** The body of a create or an update. Output-only fields are accepted and ignored. */
export const repositoryBody = z.strictObject({
  ...optionalTexts("name", "format", "mode", "description", "kmsKeyName"),
  labels: z.record(z.string(), text).optional(),
  dockerConfig: z.strictObject({ immutableTags: bool.optional() }).optional(),
  cleanupPolicies: z.record(z.string(), cleanupPolicy).optional(),
  cleanupPolicyDryRun: bool.optional(),
  disallowUnspecifiedMode: bool.optional(),
  vulnerabilityScanningConfig: z
    .strictObject({
      enablementConfig: oneOf("Repository.VulnerabilityScanningConfig.EnablementConfig", [
        "ENABLEMENT_CONFIG_UNSPECIFIED",
        "INHERITED",
        "DISABLED",
      ]).optional(),
      ...optionalTexts("enablementState", "enablementStateReason", "lastEnableTime"),
    })
    .optional(),
  ...optionalTexts("createTime", "updateTime", "registryUri"),
  sizeBytes: z.union([text, z.number()]).optional(),
  satisfiesPzs: bool.optional(),
  satisfiesPzi: bool.optional(),
});

export type CleanupPolicy = z.infer<typeof cleanupPolicy>;

export type RepositoryBody = z.infer<typeof repositoryBody>;

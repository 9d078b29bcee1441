import { isZero } from "../rpc/shape.ts";
import { isRecord, type Properties, record, text, texts, type Value } from "../rpc/values.ts";

/** The API's body of a repository. As the real plugin does, omits empty values. */
export function repositoryBody(wanted: Properties, labels: Properties): Properties {
  const scanning = text(record(wanted, "vulnerabilityScanningConfig"), "enablementConfig");
  const body: Properties = {
    format: wanted["format"] ?? null,
    mode: wanted["mode"] ?? null,
    description: wanted["description"] ?? null,
    kmsKeyName: wanted["kmsKeyName"] ?? null,
    dockerConfig: wanted["dockerConfig"] ?? null,
    vulnerabilityScanningConfig: scanning === "" ? null : { enablementConfig: scanning },
    cleanupPolicies: policiesBody(wanted["cleanupPolicies"]),
    cleanupPolicyDryRun: wanted["cleanupPolicyDryRun"] ?? null,
    labels,
  };
  return withoutEmpty(body);
}

/** The program has a list, the API an object with ids as keys. */
function policiesBody(policies: Value | undefined): Properties {
  const list = Array.isArray(policies) ? policies.filter(isRecord) : [];
  return Object.fromEntries(
    list.map((policy) => {
      const body: Properties = { action: policy["action"] ?? null };
      const condition = record(policy, "condition");
      const versions = record(policy, "mostRecentVersions");
      if (condition) body["condition"] = withoutEmpty(condition);
      if (versions) body["mostRecentVersions"] = withoutEmpty(versions);
      return [text(policy, "id"), withoutEmpty(body)];
    }),
  );
}

function withoutEmpty(value: Properties): Properties {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => !isZero(entry)));
}

/** The outputs of the API's policies, sorted by id. */
export function policyOutputs(policies: Value | undefined): Value {
  const entries = isRecord(policies) ? Object.entries(policies) : [];
  return entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, value]) => {
      const policy = isRecord(value) ? value : {};
      const condition = record(policy, "condition");
      const versions = record(policy, "mostRecentVersions");
      return {
        id,
        action: text(policy, "action"),
        condition: condition
          ? {
              newerThan: text(condition, "newerThan"),
              olderThan: text(condition, "olderThan"),
              packageNamePrefixes: texts(condition, "packageNamePrefixes"),
              tagPrefixes: texts(condition, "tagPrefixes"),
              tagState: text(condition, "tagState"),
              versionNamePrefixes: texts(condition, "versionNamePrefixes"),
            }
          : null,
        mostRecentVersions: versions
          ? {
              keepCount: versions["keepCount"] ?? 0,
              packageNamePrefixes: texts(versions, "packageNamePrefixes"),
            }
          : null,
      };
    });
}

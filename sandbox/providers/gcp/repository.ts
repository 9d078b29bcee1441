import { isRecord, type Properties, record, secret, text, unknownValue, type Value } from "../rpc/values.ts";
import { callsOf } from "./calls.ts";
import type { GoogleClient } from "./client.ts";
import { maskOf, type Definition, idOf, idParts, unlessNotFound } from "./define.ts";
import { effectiveLabels, labelDifferences, labelOutputs, pulumiLabels } from "./labels.ts";
import { policyOutputs, repositoryBody } from "./repository-body.ts";
import { repositoryShape } from "./repository-shape.ts";
import { afterCreate, wrapErrors } from "./errors.ts";

const ID = "projects/{project}/locations/{location}/repositories/{repositoryId}";

export const repository: Definition = {
  type: "gcp:artifactregistry/repository:Repository",
  noun: "Repository",
  api: "artifactRegistry",
  shape: repositoryShape,
  wanted(inputs, client) {
    const location = text(inputs, "location") || client.settings.region;
    if (location !== "") return { ...inputs, project: client.project(inputs), location };
    throw new Error(
      "location: required field is not set (set it with `pulumi config set gcp:region REGION`)",
    );
  },
  moreDifferences: (old, wanted) => labelDifferences(old.outputs, wanted),
  preview: (wanted) => ({
    ...outputsOf({ ...repositoryBody(wanted, {}) }, wanted, {}),
    ...wanted,
    createTime: unknownValue,
    effectiveLabels: unknownValue,
    name: unknownValue,
    pulumiLabels: unknownValue,
    registryUri: unknownValue,
    updateTime: unknownValue,
  }),
  previewUpdate: (old, wanted) => ({
    ...old.outputs,
    description: "",
    labels: {},
    ...wanted,
    pulumiLabels: secret(pulumiLabels(wanted)),
    effectiveLabels: secret(effectiveLabels(wanted, old.outputs)),
  }),
  async create(wanted, calls) {
    const id = idOf(ID, wanted);
    const labels = pulumiLabels(wanted);
    const query = { repository_id: text(wanted, "repositoryId") };
    const started = calls.post(id.replace(/\/[^/]+$/, ""), repositoryBody(wanted, labels), query);
    await calls.done(started, "Creating Repository");
    return afterCreate(id, wanted, async () => {
      return { id, outputs: outputsOf(await calls.get(id), wanted, labels) };
    });
  },
  async read(id, old, calls) {
    const known = { ...old?.outputs, ...idParts(ID, id) };
    const declared = record(old?.outputs, "pulumiLabels") ?? {};
    return { id, outputs: outputsOf(await calls.get(id), known, declared) };
  },
  async update(old, wanted, differences, calls) {
    const named = differences.map((one) => ({ ...one, path: one.path.replace("effectiveLabels", "labels") }));
    const mask = maskOf(named, masked);
    if (mask.length > 0) {
      const body = repositoryBody(wanted, effectiveLabels(wanted, old.outputs));
      await calls.patch(old.id, body, { updateMask: mask.join(",") });
    }
    return outputsOf(await calls.get(old.id), wanted, pulumiLabels(wanted));
  },
  delete: ({ id }, calls) => calls.done(calls.delete(id), "Deleting Repository"),
};

/** Fields that an update can change, in the real plugin's order. */
const masked = [
  "description",
  "dockerConfig",
  "cleanupPolicies",
  "cleanupPolicyDryRun",
  "vulnerabilityScanningConfig",
  "labels",
];

/**
 * `gcp.artifactregistry.getRepository`. Blocks are lists, and labels are not secret.
 * @throws if the repository does not exist, as the real plugin does.
 */
export async function readRepository(
  args: Properties,
  client: GoogleClient,
  signal: AbortSignal,
): Promise<Properties> {
  const place = { ...args, project: client.project(args) };
  const id = idOf(ID, place);
  const calls = callsOf(client, "artifactRegistry", signal);
  const live = await wrapErrors(`Error when reading or editing Repository "${id}"`, () =>
    unlessNotFound(calls.get(id)),
  );
  if (live === undefined) throw new Error(`1 error occurred:\n\t* ${id} not found\n\n`);
  const { dockerConfig, mavenConfig, remoteRepositoryConfig, virtualRepositoryConfig, ...found } = outputsOf(
    live,
    place,
    {},
  );
  const { vulnerabilityScanningConfig, ...others } = found;
  const labels = record(live, "labels") ?? {};
  return {
    ...others,
    id,
    labels,
    pulumiLabels: labels,
    effectiveLabels: labels,
    cleanupPolicies: list(others["cleanupPolicies"]).map(({ condition, mostRecentVersions, ...policy }) => ({
      ...policy,
      conditions: list(condition),
      mostRecentVersions: list(mostRecentVersions),
    })),
    dockerConfigs: list(dockerConfig),
    mavenConfigs: list(mavenConfig),
    remoteRepositoryConfigs: list(remoteRepositoryConfig),
    virtualRepositoryConfigs: list(virtualRepositoryConfig),
    vulnerabilityScanningConfigs: list(vulnerabilityScanningConfig),
  };
}

/** A block as a list. */
function list(value: Value | undefined): Properties[] {
  return (Array.isArray(value) ? value : [value ?? null]).filter(isRecord);
}

/** @param known values that the answer does not have: the project, the location and the program's labels. */
function outputsOf(live: Properties, known: Properties, declaredLabels: Properties): Properties {
  const scanning = record(live, "vulnerabilityScanningConfig");
  const docker = record(live, "dockerConfig");
  const repositoryId = text(known, "repositoryId");
  return {
    cleanupPolicies: policyOutputs(live["cleanupPolicies"]),
    cleanupPolicyDryRun: live["cleanupPolicyDryRun"] === true,
    createTime: text(live, "createTime"),
    deletionPolicy: "DELETE",
    description: text(live, "description"),
    dockerConfig:
      docker && Object.keys(docker).length > 0 ? { immutableTags: docker["immutableTags"] === true } : null,
    ...labelOutputs(record(live, "labels") ?? {}, record(known, "labels") ?? {}, declaredLabels),
    format: text(live, "format"),
    kmsKeyName: text(live, "kmsKeyName"),
    location: text(known, "location"),
    mavenConfig: null,
    mode: text(live, "mode"),
    name: text(live, "name").split("/").at(-1) ?? repositoryId,
    project: text(known, "project"),
    registryUri: text(live, "registryUri"),
    remoteRepositoryConfig: null,
    repositoryId,
    updateTime: text(live, "updateTime"),
    virtualRepositoryConfig: null,
    vulnerabilityScanningConfig: scanning
      ? {
          enablementConfig: text(scanning, "enablementConfig"),
          enablementState: text(scanning, "enablementState"),
          enablementStateReason: text(scanning, "enablementStateReason"),
        }
      : null,
  };
}

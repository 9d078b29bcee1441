import { isRecord, type Properties, record, secret, text, unknownValue, type Value } from "../rpc/values.ts";
import type { GoogleClient } from "./client.ts";
import { maskOf, type Definition, idOf, idParts } from "./define.ts";
import { isNotFound } from "./google-error.ts";
import { effectiveLabels, labelDifferences, labelOutputs, pulumiLabels } from "./labels.ts";
import { operationDone } from "./operation.ts";
import { policyOutputs, repositoryBody } from "./repository-body.ts";
import { repositoryShape } from "./repository-shape.ts";
import { afterCreate, wrapErrors } from "./wrap-errors.ts";

const api = "artifactRegistry";

const ID = "projects/{project}/locations/{location}/repositories/{repositoryId}";

export const repository: Definition = {
  type: "gcp:artifactregistry/repository:Repository",
  noun: "Repository",
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
  async create(wanted, client, { signal }) {
    const id = idOf(ID, wanted);
    const labels = pulumiLabels(wanted);
    const operation = await client.send({
      api,
      method: "POST",
      path: id.replace(/\/[^/]+$/, ""),
      query: { repository_id: text(wanted, "repositoryId") },
      body: repositoryBody(wanted, labels),
      signal,
    });
    await operationDone(client, api, operation, "Creating Repository", signal);
    return afterCreate(id, wanted, async () => {
      return { id, outputs: outputsOf(await get(client, id, signal), wanted, labels) };
    });
  },
  async read(id, old, client, { signal }) {
    const place = idParts(ID, id);
    const known = old?.outputs ?? {};
    const live = await get(client, id, signal);
    return {
      id,
      outputs: outputsOf(live, { ...known, ...place }, record(known, "pulumiLabels") ?? {}),
    };
  },
  async update(old, wanted, differences, client, { signal }) {
    const labels = effectiveLabels(wanted, old.outputs);
    const named = differences.map((one) => ({ ...one, path: one.path.replace("effectiveLabels", "labels") }));
    const mask = maskOf(named, masked);
    if (mask.length > 0) {
      await client.send({
        api,
        method: "PATCH",
        path: old.id,
        query: { updateMask: mask.join(",") },
        body: repositoryBody(wanted, labels),
        signal,
      });
    }
    return outputsOf(await get(client, old.id, signal), wanted, pulumiLabels(wanted));
  },
  async delete({ id }, client, { signal }) {
    const operation = await client.send({ api, method: "DELETE", path: id, signal });
    await operationDone(client, api, operation, "Deleting Repository", signal);
  },
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

function get(client: GoogleClient, name: string, signal: AbortSignal): Promise<Properties> {
  return client.send({ api, method: "GET", path: name, signal });
}

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
  const live = await wrapErrors(`Error when reading or editing Repository "${id}"`, () =>
    get(client, id, signal).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    }),
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

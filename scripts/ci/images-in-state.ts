import { z } from "zod";
import { fromJson } from "../../problems/wording.ts";
import { PULUMI } from "../../problems/setting-commands.ts";

const operation = z.object({ resource: z.object({ urn: z.string(), type: z.string() }) });

/** The parts of `pulumi stack export` that this check reads; taken from Pulumi 3.274. */
const exported = z.object({
  deployment: z.looseObject({
    resources: z.array(z.looseObject({ urn: z.string(), type: z.string() })).nullish(),
    pending_operations: z.array(operation).nullish(),
    secrets_providers: z.object({ type: z.string(), state: z.unknown().optional() }).nullish(),
  }),
});

const anything = z.unknown();

/** The allowed parts of a deployment. `snippets` and `extensions` hold programs; this stack has none. */
const PARTS = ["manifest", "metadata", "pending_operations", "resources", "secrets_providers"];

/** The allowed secrets providers: a passphrase, or Cloud KMS. */
const secretsProvider = z.discriminatedUnion("type", [
  z.object({ type: z.literal("passphrase") }),
  z.object({ type: z.literal("cloud"), state: z.object({ url: z.string().startsWith("gcpkms://") }) }),
]);

/** The allowed fields of a resource. Hooks, snippets and extensions lead to programs. */
const NOTES = [
  ...["urn", "type", "custom", "id", "inputs", "outputs", "parent", "provider", "created", "modified"],
  ...["dependencies", "propertyDependencies", "sourcePosition", "stackTrace", "aliases", "initErrors"],
  ...["protect", "delete", "external", "taint", "pendingReplacement", "retainOnDelete", "importID"],
  ...["additionalSecretOutputs", "ignoreChanges", "replaceOnChanges", "customTimeouts"],
];

/** The logins of the docker provider: only addresses. A configuration can name helpers, which Docker runs. */
const registryAuth = z.string().refine((text) => {
  const { success } = z.array(z.strictObject({ address: z.string() })).safeParse(fromJson(text));
  return success;
});

/** The engine's fields of a provider. `__internal` would hold a plugin's address, name or parameters. */
const engineNotes = {
  version: anything,
  __internal: z.strictObject({}).optional(),
  __defaults: z.array(z.string()).optional(),
};

/** The resource types of a stack of images, with the inputs that this program gives to each provider. */
const HELD: Readonly<Record<string, z.ZodType>> = {
  "pulumi:pulumi:Stack": anything,
  "hyperion:registry:PublishedImages": anything,
  "hyperion:registry:ImageBuild": anything,
  "docker:index/image:Image": anything,
  // A remote engine, `ssh://`, runs a command here.
  "pulumi:providers:docker": z.strictObject({
    ...engineNotes,
    registryAuth: registryAuth.optional(),
    host: z
      .string()
      .regex(/^(unix|npipe):\/\/\S*$/)
      .optional(),
  }),
  "pulumi:providers:gcp": z
    .strictObject({ ...engineNotes, project: anything, region: anything, skipRegionValidation: anything })
    .partial(),
  // Part of the engine; reads the outputs of the last `up`.
  "pulumi:providers:pulumi": z.strictObject(engineNotes).partial(),
};

/**
 * Checks that a state only holds resources of a stack of images.
 *
 * @param text the output of `pulumi stack export`, which loads no plugin.
 * @throws one line for each entry that this program does not make.
 */
export function imagesInStateReport(text: string): string {
  const { deployment } = exported.parse(JSON.parse(text));
  const foreign = [
    ...unknownKeys(deployment, PARTS).map((part) => `the state's ${part}`),
    ...(secretsProvider.nullish().safeParse(deployment.secrets_providers).success
      ? []
      : [`the state's secrets provider ${deployment.secrets_providers?.type ?? ""}`]),
    ...(deployment.resources ?? []).flatMap(foreignIn),
    ...(deployment.pending_operations ?? []).flatMap(({ resource }) =>
      foreignType(resource) === undefined ? [] : [`${resource.urn}: on its way`],
    ),
  ];
  if (foreign.length > 0) {
    throw new Error(
      `The state holds entries that a stack of images does not make. Run nothing on it:\n${foreign.map((line) => `  ${line}\n`).join("")}` +
        `Find out who wrote them. Remove them with ${PULUMI} state delete URN, or restore an earlier version of the object.`,
    );
  }
  return "The state holds only images and tags.\n";
}

interface Resource {
  urn: string;
  type: string;
  [note: string]: unknown;
}

function foreignIn(resource: Resource): string[] {
  const { urn, type, inputs } = resource;
  const foreign = foreignType(resource);
  if (foreign !== undefined) return [`${urn}: a ${foreign}`];
  const issues = HELD[type]?.safeParse(inputs ?? {}).error?.issues ?? [];
  return [
    ...unknownKeys(resource, NOTES).map((name) => `${urn}: its ${name}`),
    ...issues.flatMap(settingsOf).map((name) => `${urn}: its setting ${name}`),
  ];
}

/** The unexpected type. If type and URN differ, the engine uses the URN. */
function foreignType({ urn, type }: { urn: string; type: string }): string | undefined {
  const named = urn.split("::")[2]?.replace(/^.*\$/, "") ?? "";
  return [named, type].find((each) => !Object.hasOwn(HELD, each)) ?? (named === type ? undefined : named);
}

function unknownKeys(of: object, known: readonly string[]): string[] {
  return Object.keys(of).filter((key) => !known.includes(key));
}

/** The full names of the inputs with an issue: `__internal.pluginDownloadURL`. */
function settingsOf(issue: z.core.$ZodIssue): string[] {
  const below = issue.code === "unrecognized_keys" ? issue.keys : [];
  return below.length === 0 ? [issue.path.join(".")] : below.map((key) => [...issue.path, key].join("."));
}

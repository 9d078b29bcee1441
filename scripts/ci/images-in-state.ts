import { z } from "zod";
import { fromJson } from "../../components/images/docker/config.ts";
import { PULUMI } from "../../problems/setting-commands.ts";

const operation = z.object({ resource: z.object({ urn: z.string(), type: z.string() }) });

/** `pulumi stack export`, as far as this file reads it; taken from Pulumi 3.274. */
const exported = z.object({
  deployment: z.looseObject({
    resources: z.array(z.looseObject({ urn: z.string(), type: z.string() })).nullish(),
    pending_operations: z.array(operation).nullish(),
    secrets_providers: z.object({ type: z.string(), state: z.unknown().optional() }).nullish(),
  }),
});

const anything = z.unknown();

/** Parts of a deployment, in the engine's words. `snippets` and `extensions` are programs, and this stack has none. */
const PARTS = ["manifest", "metadata", "pending_operations", "resources", "secrets_providers"];

/** Where the engine decrypts: with the passphrase at hand, or by Cloud KMS. */
const secretsProvider = z.discriminatedUnion("type", [
  z.object({ type: z.literal("passphrase") }),
  z.object({ type: z.literal("cloud"), state: z.object({ url: z.string().startsWith("gcpkms://") }) }),
]);

/** What the engine notes on a resource; hooks, snippets and extensions lead to programs, and are not among it. */
const NOTES = [
  ...["urn", "type", "custom", "id", "inputs", "outputs", "parent", "provider", "created", "modified"],
  ...["dependencies", "propertyDependencies", "sourcePosition", "stackTrace", "aliases", "initErrors"],
  ...["protect", "delete", "external", "taint", "pendingReplacement", "retainOnDelete", "importID"],
  ...["additionalSecretOutputs", "ignoreChanges", "replaceOnChanges", "customTimeouts"],
];

/** The logins of the docker provider: an address alone; a configuration names helpers, which are run. */
const registryAuth = z.string().refine((text) => {
  const { success } = z.array(z.strictObject({ address: z.string() })).safeParse(fromJson(text));
  return success;
});

/** The engine's own notes on a provider: empty, since a plugin's address, other name or parameters would be here. */
const engineNotes = {
  version: anything,
  __internal: z.strictObject({}).optional(),
  __defaults: z.array(z.string()).optional(),
};

/** What a stack of images alone holds, with the settings that this program gives to a provider. */
const HELD: Readonly<Record<string, z.ZodType>> = {
  "pulumi:pulumi:Stack": anything,
  "hyperion:registry:PublishedImages": anything,
  "hyperion:registry:PublishedImage": anything,
  "docker:index/image:Image": anything,
  // An engine elsewhere, `ssh://`, runs a command here.
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
  // Part of the engine; the stack's last outputs are read by it.
  "pulumi:providers:pulumi": z.strictObject(engineNotes).partial(),
};

/**
 * Says that a state of images alone holds nothing else.
 * @param text what `pulumi stack export` printed, which loads no plugin.
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
      `The state holds what no stack of images alone makes; run nothing on it:\n${foreign.map((line) => `  ${line}\n`).join("")}` +
        `Find out who wrote it; take it out with ${PULUMI} state delete URN, or restore an earlier version of the object.`,
    );
  }
  return "The state holds images and tags alone.\n";
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

/** The type that does not belong. The engine goes by the URN where the two differ. */
function foreignType({ urn, type }: { urn: string; type: string }): string | undefined {
  const named = urn.split("::")[2]?.replace(/^.*\$/, "") ?? "";
  return [named, type].find((each) => !Object.hasOwn(HELD, each)) ?? (named === type ? undefined : named);
}

function unknownKeys(of: object, known: readonly string[]): string[] {
  return Object.keys(of).filter((key) => !known.includes(key));
}

/** Full names of the settings that an issue is about: `__internal.pluginDownloadURL`. */
function settingsOf(issue: z.core.$ZodIssue): string[] {
  const below = issue.code === "unrecognized_keys" ? issue.keys : [];
  return below.length === 0 ? [issue.path.join(".")] : below.map((key) => [...issue.path, key].join("."));
}

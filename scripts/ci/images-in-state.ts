import { z } from "zod";

/** `pulumi stack export`, as far as it is used here; taken from Pulumi 3.274. */
const exported = z.object({
  deployment: z.object({
    resources: z
      .array(
        z.object({
          urn: z.string(),
          type: z.string(),
          inputs: z.record(z.string(), z.unknown()).default({}),
        }),
      )
      .nullish(),
    pending_operations: z.array(z.object({ resource: z.object({ urn: z.string() }) })).nullish(),
  }),
});

const anything = z.unknown();

/** The logins of the docker provider: an address alone; a configuration names helpers, which are run. */
const registryAuth = z.string().refine((text) => {
  const { success } = z.array(z.strictObject({ address: z.string() })).safeParse(JSON.parse(text));
  return success;
});

/** What a stack of images alone holds, with the settings that this program gives to a provider. */
const HELD: Readonly<Record<string, z.ZodType>> = {
  "pulumi:pulumi:Stack": anything,
  "hyperion:registry:PublishedImage": anything,
  "docker:index/image:Image": anything,
  "docker:index/remoteImage:RemoteImage": anything,
  "docker:index/tag:Tag": anything,
  "docker:index/registryImage:RegistryImage": anything,
  // An engine elsewhere, `ssh://`, runs a command here.
  "pulumi:providers:docker": z.strictObject({
    version: anything,
    registryAuth: registryAuth.optional(),
    host: z
      .string()
      .regex(/^(unix|npipe):\/\/\S*$/)
      .optional(),
  }),
  "pulumi:providers:gcp": z
    .strictObject({ version: anything, project: anything, region: anything })
    .partial(),
  // Part of the engine; the stack's last outputs are read by it.
  "pulumi:providers:pulumi": z.strictObject({}),
};

/**
 * Says that a state of images alone holds nothing else.
 * @param text what `pulumi stack export` printed, which loads no plugin.
 * @throws one line for each entry that this program does not make.
 */
export function imagesInStateReport(text: string): string {
  const { resources, pending_operations: pending } = exported.parse(JSON.parse(text)).deployment;
  const foreign = (resources ?? []).flatMap(({ urn, type, inputs }) => {
    const schema = HELD[type];
    if (schema === undefined) return [`${urn}: a ${type}`];
    // The engine's own notes on an entry.
    const set = Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith("__")));
    const issues = schema.safeParse(set).error?.issues ?? [];
    return issues
      .flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : String(issue.path[0])))
      .map((name) => `${urn}: its setting ${name}`);
  });
  foreign.push(
    ...(pending ?? []).flatMap(({ resource: { urn } }) =>
      typeOf(urn) in HELD ? [] : [`${urn}: on its way`],
    ),
  );
  if (foreign.length > 0) {
    throw new Error(
      `The state holds what no stack of images alone makes; run nothing on it:\n${foreign.map((line) => `  ${line}\n`).join("")}` +
        "Find out who wrote it; take it out with pulumi state delete URN, or restore an earlier version of the object.",
    );
  }
  return "The state holds images and tags alone.\n";
}

function typeOf(urn: string): string {
  return urn.split("::")[2]?.replace(/^.*\$/, "") ?? "";
}

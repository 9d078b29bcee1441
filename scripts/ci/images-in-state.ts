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

/** What a stack of images alone holds, with the inputs that may be set where another would do harm: by a provider. */
const HELD: Readonly<Record<string, readonly string[] | "any">> = {
  "pulumi:pulumi:Stack": [],
  "hyperion:registry:PublishedImage": "any",
  "docker:index/image:Image": "any",
  "docker:index/remoteImage:RemoteImage": "any",
  "docker:index/tag:Tag": "any",
  "docker:index/registryImage:RegistryImage": "any",
  "pulumi:providers:docker": ["registryAuth", "version", "host"],
  "pulumi:providers:gcp": ["project", "region", "version"],
};

/** Where a local Docker engine listens; `ssh://` runs a command. */
const LOCAL_ENGINE = /^(unix|npipe):\/\/[^\s]*$/;

/**
 * Says that a state of images alone holds nothing else.
 * @param text what `pulumi stack export` printed, which loads no plugin.
 * @throws one line for each entry that this program does not make.
 */
export function imagesInStateReport(text: string): string {
  const { resources, pending_operations: pending } = exported.parse(JSON.parse(text)).deployment;
  const foreign = (resources ?? []).flatMap(({ urn, type, inputs }) => {
    const allowed = HELD[type];
    if (allowed === undefined) return [`${urn}: a ${type}`];
    if (allowed === "any") return [];
    const odd = Object.keys(inputs).filter((name) => !allowed.includes(name) && !name.startsWith("__"));
    const host = inputs["host"];
    if (host !== undefined && !(typeof host === "string" && LOCAL_ENGINE.test(host))) odd.push("host");
    return odd.map((name) => `${urn}: its setting ${name}`);
  });
  foreign.push(
    ...(pending ?? []).flatMap(({ resource: { urn } }) => (known(urn) ? [] : [`${urn}: on its way`])),
  );
  if (foreign.length > 0) {
    throw new Error(
      `The state holds what no stack of images alone makes; run nothing on it:\n${foreign.map((line) => `  ${line}\n`).join("")}` +
        "Find out who wrote it; take it out with pulumi state delete URN, or restore an earlier version of the object.",
    );
  }
  return "The state holds images and tags alone.\n";
}

/** Whether a URN is of a type that such a stack holds. */
function known(urn: string): boolean {
  const type = urn.split("::")[2]?.replace(/^.*\$/, "") ?? "";
  return type in HELD;
}

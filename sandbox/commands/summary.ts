import { SandboxError } from "../lib/errors.ts";
import type { SandboxPaths } from "../lib/paths.ts";
import { pluginsServing } from "../providers/install.ts";
import { pulumiCommand } from "../lib/pulumi.ts";
import { run } from "../lib/run-command.ts";

export interface StackOutputs {
  registryUrl: string;
  images: Record<string, { digest: string; tags: string[]; pull: string }>;
  publicAccess: boolean;
}

/** Prints what the stack published, and commands to try next. */
export async function printSummary(paths: SandboxPaths, env: NodeJS.ProcessEnv): Promise<void> {
  const shown = await run(pulumiCommand(paths), ["stack", "output", "--json", "--stack", "sandbox"], {
    env,
  });
  if (!shown.ok) throw new SandboxError(`the outputs of the stack cannot be read: ${shown.failure}`);
  const fakeProviders = pluginsServing(paths.pulumiHome).filter((plugin) => plugin.kind === "fake");
  console.log(
    summary(
      JSON.parse(shown.stdout) as StackOutputs,
      fakeProviders.map((plugin) => plugin.name),
    ),
  );
}

/** @param fakeProviders names of the plugins that are fake providers. */
export function summary(outputs: StackOutputs, fakeProviders: string[]): string {
  const images = Object.entries(outputs.images);
  const width = Math.max(0, ...images.map(([name]) => name.length));
  const pull = images[0]?.[1].pull;
  return [
    `Registry  ${outputs.registryUrl}  (public: ${outputs.publicAccess ? "yes" : "no"})`,
    ...images.map(([name, image]) => `  ${name.padEnd(width)}  ${image.tags.join(", ")}  ${image.digest}`),
    ...(fakeProviders.length > 0
      ? [`Plugins   fake providers for ${fakeProviders.join(" and ")}: the real plugins cannot be downloaded`]
      : []),
    "",
    "Try next:",
    '  eval "$(npm run --silent sandbox -- env)"     this shell\'s pulumi, docker and gcloud use the sandbox',
    ...(pull ? [`  ${pull}`] : []),
    "  npm run sandbox -- pulumi config set publicAccess true && npm run sandbox",
    "  npm run sandbox -- status",
    "  npm run sandbox -- down",
  ].join("\n");
}

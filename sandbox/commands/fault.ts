import { Argument, type Command } from "commander";
import { printAdmin } from "../services/admin.ts";
import { faultSchema, target } from "../emulator/support/faults/fault.ts";
import { SandboxError } from "../lib/errors.ts";
import { switchRegistryFaults, switchService } from "../services/switch.ts";

/** Settings of every fault of a request. */
const COMMON = Object.keys(target);

const KINDS = faultSchema.options.map(({ shape, description = "" }) => ({
  kind: shape.kind.value,
  description,
  settings: Object.keys(shape).filter((name) => name !== "kind" && !COMMON.includes(name)),
}));

const SERVICES = {
  emulator: "the emulated Google APIs",
  registry: "the registry",
  docker: "the Docker engine, if it is the sandbox's own",
} as const;

export function addFaults(command: Command): void {
  command.addHelpText("after", helpOfKinds());
  command
    .command("list")
    .description("list the active faults")
    .action(async () => {
      await printAdmin("GET", "faults");
    });
  command
    .command("set")
    .description("add a fault of the emulated APIs or of the registry")
    .addArgument(new Argument("<kind>", "see below").choices(KINDS.map(({ kind }) => kind)))
    .argument("[settings...]", "NAME=VALUE, see below")
    .action(async (kind: string, settings: string[]) => {
      await printAdmin("POST", "faults", { kind, ...parseSettings(settings) });
      await switchRegistryFaults();
    });
  command
    .command("clear")
    .description("remove all faults")
    .action(async () => {
      await printAdmin("DELETE", "faults");
      await switchRegistryFaults();
    });
  for (const [service, description] of entries(SERVICES))
    command
      .command(service)
      .description(description)
      .addArgument(
        new Argument("<action>", "stop ends it gracefully, kill immediately, start starts it again").choices([
          "stop",
          "kill",
          "start",
        ]),
      )
      .action(async (action: "stop" | "kill" | "start") => {
        console.log(await switchService(service, action));
      });
}

/** Parses words `NAME=VALUE`; converts numbers, true, false and null. */
export function parseSettings(words: string[]): Record<string, unknown> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf("=");
      if (at < 1) throw new SandboxError(`"${word}" is not NAME=VALUE (npm run sandbox -- fault --help)`);
      const [name, text] = [word.slice(0, at), word.slice(at + 1)];
      const isText = !/^(-?\d+|true|false|null)$/.test(text);
      return [name, isText ? text : (JSON.parse(text) as unknown)];
    }),
  );
}

function helpOfKinds(): string {
  const kinds = KINDS.flatMap(({ kind, description, settings }) => [
    `  ${kind.padEnd(18)} ${description}`,
    ...(settings.length > 0 ? [`  ${"".padEnd(18)} settings: ${settings.join(", ")}`] : []),
  ]);
  return `
Kinds of faults of the emulated APIs and, with registry-, of the registry:
${kinds.join("\n")}

Settings of faults of requests:
  method, route      GET, POST, ...; a path in which * matches anything, such as '*:setIamPolicy'
  skip, times        how many requests pass first, how many fail (default 0 and 1; times=null: until cleared)

Examples:
  npm run sandbox -- fault set status status=503 'route=*/repositories*' times=3
  npm run sandbox -- fault set iam-spreading seconds=20
  npm run sandbox -- fault set registry-cut 'route=*/hyperion-ui/blobs/uploads/*' times=null
  npm run sandbox -- fault registry kill
  npm run sandbox -- fault clear

npm run sandbox starts stopped services; it does not clear faults.`;
}

function entries<K extends string, V>(record: Record<K, V>): [K, V][] {
  return Object.entries(record) as [K, V][];
}

import { Argument, type Command } from "commander";
import { printAdmin } from "../services/admin.ts";
import { type Fault, faultSchema } from "../emulator/support/faults/fault.ts";
import { SandboxError } from "../lib/errors.ts";
import { switchRegistryFaults, switchService } from "../services/switch.ts";

const KINDS: Record<Fault["kind"], string> = {
  status: "answer with the error `status`; with `after=true`, carry the request out first",
  delay: "answer `milliseconds` late",
  conflict: "another editor changes the IAM policy between a read and a write",
  "operation-error": "the long-running operation ends in an error",
  "operation-pending": "the long-running operation is not done at the first poll",
  "iam-spreading": "a changed IAM policy takes effect after `seconds`",
  "clock-skew": "the clock of the emulated APIs is off by `seconds`",
  "registry-status": "the registry answers an upload with `status` (default 500) after `afterBytes` of it",
  "registry-cut": "the connection to the registry is cut after `afterBytes` of an upload",
};

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
    .addArgument(new Argument("<kind>", "see below").choices(Object.keys(KINDS)))
    .argument("[settings...]", "NAME=VALUE, see below")
    .action(async (kind: string, settings: string[]) => {
      await printAdmin("POST", "faults", { kind, ...parseSettings(settings) });
      await switchRegistryFaults();
    });
  command
    .command("clear")
    .description("remove all faults, or one")
    .argument("[id]")
    .action(async (id?: string) => {
      await printAdmin("DELETE", id === undefined ? "faults" : `faults/${encodeURIComponent(id)}`);
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
      const plain = name === "id" || !/^(-?\d+|true|false|null)$/.test(text);
      return [name, plain ? text : (JSON.parse(text) as unknown)];
    }),
  );
}

function helpOfKinds(): string {
  const kinds = faultSchema.options.map(({ shape }) => {
    const [kind] = [...shape.kind.values];
    const settings = Object.keys(shape).filter((name) => name !== "kind" && !COMMON.includes(name));
    return [
      `  ${(kind ?? "").padEnd(18)} ${kind === undefined ? "" : KINDS[kind]}`,
      ...(settings.length > 0 ? [`  ${"".padEnd(18)} settings: ${settings.join(", ")}`] : []),
    ].join("\n");
  });
  return `
Kinds of faults of the emulated APIs and, with registry-, of the registry:
${kinds.join("\n")}

Settings of faults of requests:
  method, route      GET, POST, ...; a path in which * matches anything, such as '*:setIamPolicy'
  skip, times        how many requests pass first, how many fail (default 0 and 1; times=null: until cleared)
  id                 a name for fault clear

Examples:
  npm run sandbox -- fault set status status=503 'route=*/repositories*' times=3
  npm run sandbox -- fault set iam-spreading seconds=20
  npm run sandbox -- fault set registry-cut 'route=*/hyperion-ui/blobs/uploads/*' times=null
  npm run sandbox -- fault registry kill
  npm run sandbox -- fault clear

npm run sandbox starts stopped services; it does not clear faults.`;
}

const COMMON = ["id", "method", "route", "skip", "times"];

function entries<K extends string, V>(record: Record<K, V>): [K, V][] {
  return Object.entries(record) as [K, V][];
}

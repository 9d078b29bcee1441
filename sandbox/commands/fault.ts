import { Argument, Command } from "commander";
import { printAdmin } from "../services/admin.ts";
import { type Fault, faultSchema } from "../emulator/support/faults/fault.ts";
import { SandboxError } from "../lib/errors.ts";
import { switchRegistryFaults, switchService } from "../services/switch.ts";

/** What each kind of fault of the emulated APIs and of the registry does. */
const KINDS: Record<Fault["kind"], string> = {
  status: "answer with the error `status`; `after=true` carries the request out all the same",
  delay: "answer `milliseconds` late",
  conflict: "somebody else edits the IAM policy between a read and a write",
  "operation-error": "the long-running operation ends in an error",
  "operation-pending": "the long-running operation is not done at the first look",
  "iam-spreading": "a changed IAM policy is in force only after `seconds`",
  "clock-skew": "the clock of the emulated APIs is off by `seconds`",
  "registry-status": "the registry answers an upload with `status` (default 500) after `afterBytes` of it",
  "registry-cut": "the connection to the registry is cut after `afterBytes` of an upload",
};

const SERVICES = {
  emulator: "the emulated Google APIs",
  registry: "the registry",
  docker: "the Docker engine, if it is the sandbox's own",
} as const;

/** `fault`: what may go wrong, switched on and off by hand or by a test. */
export function faultCommand(): Command {
  const command = new Command("fault").description(
    "make something fail on purpose, and fix it: a fire drill",
  );
  command.addHelpText("after", helpOfKinds());
  command
    .command("list")
    .description("the faults that are switched on")
    .action(async () => {
      await printAdmin("GET", "faults");
    });
  command
    .command("set")
    .description("switch a fault of the emulated APIs or of the registry on")
    .addArgument(new Argument("<kind>", "see below").choices(Object.keys(KINDS)))
    .argument("[settings...]", "NAME=VALUE, see below")
    .action(async (kind: string, settings: string[]) => {
      await printAdmin("POST", "faults", { kind, ...parseSettings(settings) });
      await switchRegistryFaults();
    });
  command
    .command("clear")
    .description("switch all of these faults off, or one")
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
        new Argument("<action>", "stop ends it in order, kill at once, start brings it back").choices([
          "stop",
          "kill",
          "start",
        ]),
      )
      .action(async (action: "stop" | "kill" | "start") => {
        console.log(await switchService(service, action));
      });
  return command;
}

/** `NAME=VALUE` words as an object; numbers, true, false and null are taken as such. */
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

Settings of all that hit single requests:
  method, route      which ones: GET, POST, ...; a path in which * is anything, such as '*:setIamPolicy'
  skip, times        so many pass first, so many are hit (default 0 and 1; times=null: until it is cleared)
  id                 what to clear it by

Examples:
  npm run sandbox -- fault set status status=503 'route=*/repositories*' times=3
  npm run sandbox -- fault set iam-spreading seconds=20
  npm run sandbox -- fault set registry-cut 'route=*/hyperion-ui/blobs/uploads/*' times=null
  npm run sandbox -- fault registry kill
  npm run sandbox -- fault clear

npm run sandbox starts every stopped service again; faults that were set stay until they are cleared.`;
}

const COMMON = ["id", "method", "route", "skip", "times"];

function entries<K extends string, V>(record: Record<K, V>): [K, V][] {
  return Object.entries(record) as [K, V][];
}

import { Argument, Command } from "commander";

/** `fault`: what may go wrong, switched on and off by hand or by a test. */
export function faultCommand(): Command {
  const command = new Command("fault")
    .description("make something fail, and mend it: a fire drill")
    .addHelpText("after", "\nnpm run sandbox mends every stopped service, too.");
  for (const [service, description] of [
    ["cloud", "the emulated Google APIs"],
    ["registry", "the registry"],
    ["docker", "the Docker engine, if it is the sandbox's own"],
  ] as const)
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
        const { switchService } = await import("./services/switch.js");
        console.log(await switchService(service, action));
      });
  return command;
}

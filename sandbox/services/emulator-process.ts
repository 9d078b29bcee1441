import { messageOf } from "../../problems/wording.ts";
import { type Emulator, startEmulator } from "../emulator/server.ts";
import { keepTokenFile } from "./token-file.ts";

// The service `emulator`. Argument: the sandbox's folder.

async function main(sandboxDir: string): Promise<void> {
  const emulator = await startEmulator({ sandboxDir });
  await keepTokenFile(sandboxDir);
  console.log(`${new Date().toISOString()} the emulated Google APIs answer at ${emulator.url}`);
  process.once("SIGTERM", () => void stop(emulator));
}

async function stop(emulator: Emulator): Promise<void> {
  await emulator.close();
  process.exit(0);
}

const [sandboxDir] = process.argv.slice(2);
if (sandboxDir === undefined) throw new Error("usage: emulator-process.ts SANDBOX_FOLDER");
main(sandboxDir).catch((error: unknown) => {
  console.error(messageOf(error));
  process.exit(1);
});

import { type Cloud, startCloud } from "../cloud/server";
import { messageOf } from "../errors";
import { keepTokenFile } from "./token-file";

// The background process of the emulated Google APIs. Argument: the sandbox's folder.

async function main(sandboxDir: string): Promise<void> {
  const cloud = await startCloud({ sandboxDir });
  await keepTokenFile(sandboxDir);
  console.log(`${new Date().toISOString()} the emulated Google APIs answer at ${cloud.url}`);
  process.once("SIGTERM", () => void stop(cloud));
}

async function stop(cloud: Cloud): Promise<void> {
  await cloud.close();
  process.exit(0);
}

const [sandboxDir] = process.argv.slice(2);
if (sandboxDir === undefined) throw new Error("usage: cloud-process.ts SANDBOX_FOLDER");
main(sandboxDir).catch((error: unknown) => {
  console.error(messageOf(error));
  process.exit(1);
});

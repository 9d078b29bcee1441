import { startCloud } from "../cloud/main";
import { keepTokenFile } from "./token-file";

/** The background process of the emulated Google APIs. Argument: the sandbox's folder. */
async function main(sandboxDir: string): Promise<void> {
  await startCloud(sandboxDir);
  await keepTokenFile(sandboxDir);
}

const [sandboxDir] = process.argv.slice(2);
if (sandboxDir === undefined) throw new Error("usage: cloud-process.ts SANDBOX_FOLDER");
main(sandboxDir).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

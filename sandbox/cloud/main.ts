import { sandboxDir } from "../paths";
import { startCloud } from "./server";

export { type Cloud, type CloudOptions, startCloud } from "./server";

async function main(): Promise<void> {
  const cloud = await startCloud({ sandboxDir: sandboxDir() });
  console.log(`The emulated Google APIs answer at ${cloud.url}`);
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => {
      void cloud.close().then(() => process.exit(0));
    });
}

if (require.main === module)
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });

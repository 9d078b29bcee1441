import { EngineLog } from "./engine-log.ts";
import { serveGrpc } from "./grpc.ts";
import { providerMethods } from "./methods.ts";
import type { Provider } from "./provider.ts";

/**
 * Serves a plugin: prints the port, as the engine expects, and answers until the engine goes away. Not by
 * `@pulumi/pulumi/provider`, which has neither Configure nor previews nor functions with failures.
 */
export async function serve(provider: Provider): Promise<void> {
  const address = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
  const stop = new AbortController();
  const port = await serveGrpc(providerMethods(provider, new EngineLog(address), stop));
  endWithTheEngine(stop);
  process.stdout.write(`${port}\n`);
}

/** What runs for this plugin (a build, a push) must not outlive it, nor the plugin the engine. */
function endWithTheEngine(stop: AbortController): void {
  const end = (): void => {
    // Sends the children their signal before it returns.
    stop.abort(new Error("the plugin was stopped"));
    process.exit(0);
  };
  // The engine sends SIGINT when it has no more work. Ctrl-C does not reach a plugin: the engine starts
  // it in a process group of its own, decides, and calls Cancel.
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) end();
  }, 500).unref();
}

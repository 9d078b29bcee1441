import { type Methods, serveGrpc } from "./grpc.ts";
import type { Provider } from "./provider.ts";

/**
 * Serves a plugin: prints the port, as the engine expects, and answers until the engine goes away. Not by
 * `@pulumi/pulumi/provider`, which has neither Configure nor previews nor functions with failures.
 *
 * @param load gives the provider; it is loaded once the port is printed, while the engine connects.
 */
export async function serve(load: () => Promise<Provider>): Promise<void> {
  const stop = new AbortController();
  const methods = Promise.withResolvers<Methods>();
  const port = await serveGrpc(methods.promise);
  endWithTheEngine(stop);
  process.stdout.write(`${port}\n`);
  methods.resolve(loadMethods(load, stop));
}

async function loadMethods(load: () => Promise<Provider>, stop: AbortController): Promise<Methods> {
  const [{ EngineLog }, { providerMethods }, provider] = await Promise.all([
    import("./engine-log.ts"),
    import("./methods.ts"),
    load(),
  ]);
  const address = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
  return providerMethods(provider, new EngineLog(address), stop);
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

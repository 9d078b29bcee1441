import { type Methods, serveGrpc } from "./grpc.ts";
import type { Provider } from "./provider.ts";

/**
 * Serves a plugin: prints the port, and answers until the engine ends. `@pulumi/pulumi/provider` lacks Configure, previews and
 * functions that fail.
 *
 * @param load loads the provider while the engine connects.
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

/** Ends the plugin with the engine, and its children (a build, a push) with the plugin. */
function endWithTheEngine(stop: AbortController): void {
  const end = (): void => {
    // Signals the children synchronously.
    stop.abort(new Error("the plugin was stopped"));
    process.exit(0);
  };
  // The engine sends SIGINT at its end. Ctrl-C does not reach a plugin, which has its own process group; the engine calls
  // Cancel.
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) end();
  }, 500).unref();
}

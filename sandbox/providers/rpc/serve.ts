import * as grpc from "@grpc/grpc-js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { EngineLog } from "./engine-log.ts";
import { providerMethods } from "./methods.ts";
import type { Provider } from "./provider.ts";

/**
 * Serves a plugin: prints the port, as the engine expects, and answers until the engine goes away.
 * The server is grpc itself and not `@pulumi/pulumi/provider`, which takes twice as long to load and
 * has neither Configure nor previews nor functions with failures.
 */
export async function serve(provider: Provider): Promise<void> {
  const address = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
  const stop = new AbortController();
  const log = new EngineLog(address);
  // Values larger than grpc's 4 MB are legal in the engine.
  const limit = 400 * 1024 * 1024;
  const server = new grpc.Server({
    "grpc.max_receive_message_length": limit,
    "grpc.max_send_message_length": limit,
  });
  server.addService(providerService.ResourceProviderService, providerMethods(provider, log, stop));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  process.stdout.write(`${port}\n`);
  endWithTheEngine(stop);
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

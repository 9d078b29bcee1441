import messages from "@pulumi/pulumi/proto/engine_pb.js";
import { GrpcClient } from "./grpc.ts";

/** Sends lines to the engine, which shows them beside the resource. */
export class EngineLog {
  private readonly client: GrpcClient | undefined;
  private pending: Promise<void> = Promise.resolve();

  /** @param address of the engine; none when the plugin runs by hand: lines are then dropped */
  constructor(address: string | undefined) {
    this.client = address === undefined ? undefined : new GrpcClient(address);
  }

  /** @param ephemeral replaced by the next line, and not kept */
  send(
    severity: "debug" | "info" | "warning" | "error",
    message: string,
    urn: string,
    ephemeral: boolean,
  ): void {
    const client = this.client;
    if (client === undefined) return;
    const request = new messages.LogRequest();
    request.setSeverity(severities[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    // One after the other: the engine shows lines in the order in which they arrive.
    this.pending = this.pending.then(() => client.call("/pulumirpc.Engine/Log", request));
  }

  /** Resolves when every line so far has reached the engine. */
  flush(): Promise<void> {
    return this.pending;
  }
}

const severities = {
  debug: messages.LogSeverity.DEBUG,
  info: messages.LogSeverity.INFO,
  warning: messages.LogSeverity.WARNING,
  error: messages.LogSeverity.ERROR,
};

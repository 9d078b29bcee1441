import messages from "@pulumi/pulumi/proto/engine_pb.js";
import { GrpcClient } from "./grpc.ts";

/** Sends lines to the engine, which shows them with the resource. */
export class EngineLog {
  private readonly client: GrpcClient | undefined;
  private pending: Promise<void> = Promise.resolve();

  /** @param address the engine's; undefined if the plugin is started by hand. */
  constructor(address: string | undefined) {
    this.client = address === undefined ? undefined : new GrpcClient(address);
  }

  /** @param ephemeral whether the next line replaces this one. */
  send(severity: "info" | "warning", message: string, urn: string, ephemeral: boolean): void {
    const client = this.client;
    if (client === undefined) return;
    const request = new messages.LogRequest();
    request.setSeverity(severities[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    // Sequential, because the engine shows lines in the order of arrival.
    this.pending = this.pending.then(() => client.call("/pulumirpc.Engine/Log", request));
  }

  /** Resolves when all lines have reached the engine. */
  flush(): Promise<void> {
    return this.pending;
  }
}

const severities = {
  info: messages.LogSeverity.INFO,
  warning: messages.LogSeverity.WARNING,
};

import * as grpc from "@grpc/grpc-js";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { CreatedButFailed } from "./provider";

/** An error as the engine prints it; a resource that was created in spite of it goes into the state. */
export function asGrpcError(error: unknown): Partial<grpc.StatusObject> {
  const details = error instanceof Error ? error.message : String(error);
  if (!(error instanceof CreatedButFailed)) return { code: grpc.status.UNKNOWN, details };
  const failed = new proto.ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(Struct.fromJavaScript(error.outputs))
    .setReasonsList([details]);
  const packed = new Any();
  packed.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status().setCode(grpc.status.UNKNOWN).setMessage(details);
  status.addDetails(packed);
  // The Go side of grpc reads structured details from this header alone.
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details, metadata };
}

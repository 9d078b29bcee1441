import proto from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import anys from "google-protobuf/google/protobuf/any_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import { messageOf } from "../../../problems/wording.ts";
import { CallError } from "./grpc.ts";
import { CreatedButFailed } from "./provider.ts";

/** google.rpc.Code */
const UNKNOWN = 2;

/** An error for the engine, which records a resource that was created nevertheless. */
export function asCallError(error: unknown): CallError {
  const message = messageOf(error);
  if (!(error instanceof CreatedButFailed)) return new CallError(message);
  const failed = new proto.ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(structs.Struct.fromJavaScript(error.outputs))
    .setReasonsList([message]);
  const packed = new anys.Any();
  packed.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statuses.Status().setCode(UNKNOWN).setMessage(message);
  status.addDetails(packed);
  return new CallError(message, status);
}

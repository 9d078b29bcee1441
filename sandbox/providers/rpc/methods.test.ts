import proto from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import { describe, expect, it } from "vitest";
import { EngineLog } from "./engine-log.ts";
import { CallError, type Message } from "./grpc.ts";
import { providerMethods } from "./methods.ts";
import { CreatedButFailed, type Provider, type Resource } from "./provider.ts";

const resource: Resource = {
  type: "p:m:Known",
  check: (inputs) => ({ inputs, failures: [] }),
  diff: () => [
    { path: "labels.app", kind: "delete", replaces: false },
    { path: "role", kind: "update", replaces: true },
  ],
  preview: (inputs) => inputs,
  create: () => Promise.reject(new CreatedButFailed("made", { a: "1" }, "could not be read")),
  read: () => Promise.resolve(undefined),
  update: (_, inputs) => Promise.resolve(inputs),
  delete: () => Promise.resolve(),
};

const provider: Provider = {
  name: "p",
  version: "1.0.0",
  configure: () => undefined,
  checkSettings: () => [{ property: "other", reason: "not supported" }],
  resources: [resource],
  functions: {},
  endsOnCancel: false,
};

/** Calls a method of the provider; returns the bytes of its answer. */
async function call(name: string, request: Message): Promise<Uint8Array> {
  const methods = providerMethods(provider, new EngineLog(undefined), new AbortController());
  const method = methods[`/pulumirpc.ResourceProvider/${name}`];
  if (method === undefined) throw new Error(`no method ${name}`);
  return (await method(request.serializeBinary())).serializeBinary();
}

const urn = (type: string): string => `urn:pulumi:stack::project::${type}::name`;

describe("the engine's calls", () => {
  it("are refused for an unsupported resource type", async () => {
    await expect(call("Check", new proto.CheckRequest().setUrn(urn("p:m:Other")))).rejects.toThrow(
      "the p plugin does not support the resource type p:m:Other (supported: p:m:Known); the real p plugin does",
    );
  });

  it("are refused for an unsupported function", async () => {
    await expect(call("Invoke", new proto.InvokeRequest().setTok("p:m:f"))).rejects.toThrow(
      "the p plugin does not support the function p:m:f (supported: none)",
    );
  });

  it("name unsupported settings", async () => {
    const answer = proto.CheckResponse.deserializeBinary(await call("CheckConfig", new proto.CheckRequest()));
    expect(answer.getFailuresList().map((one) => [one.getProperty(), one.getReason()])).toEqual([
      ["other", "not supported"],
    ]);
  });

  it("show each difference, and whether it replaces the resource", async () => {
    const request = new proto.DiffRequest().setUrn(urn(resource.type));
    const answer = proto.DiffResponse.deserializeBinary(await call("Diff", request));
    expect(answer.getDiffsList()).toEqual(["labels", "role"]);
    expect(answer.getReplacesList()).toEqual(["role"]);
    const { DELETE, UPDATE_REPLACE } = proto.PropertyDiff.Kind;
    const kinds = answer.getDetaileddiffMap();
    expect(["labels.app", "role"].map((path) => kinds.get(path)?.getKind())).toEqual([
      DELETE,
      UPDATE_REPLACE,
    ]);
  });

  it("fail with the id of a resource that was created, so that the engine records it", async () => {
    const error = await call("Create", new proto.CreateRequest().setUrn(urn(resource.type))).catch(
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof CallError) || error.status === undefined) throw error;
    expect(error.message).toBe("could not be read");
    const [detail] = statuses.Status.deserializeBinary(error.status.serializeBinary()).getDetailsList();
    const made = detail?.unpack(
      (bytes) => proto.ErrorResourceInitFailed.deserializeBinary(bytes),
      "pulumirpc.ErrorResourceInitFailed",
    );
    expect([made?.getId(), made?.getProperties()?.toJavaScript()]).toEqual(["made", { a: "1" }]);
  });
});

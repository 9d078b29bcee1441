import proto from "@pulumi/pulumi/proto/provider_pb.js";
import plugins from "@pulumi/pulumi/proto/plugin_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import anys from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import structs, { type JavaScriptValue, type Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { messageOf } from "../../../problems/wording.ts";
import { type Failure, unsupported } from "./shape.ts";
import type { Difference } from "./diff.ts";
import type { EngineLog } from "./engine-log.ts";
import { CallError, type Message, type Method, type Methods } from "./grpc.ts";
import { type Context, CreatedButFailed, type Provider, type Resource } from "./provider.ts";
import { plainProperties, type Properties, type Value } from "./values.ts";

/** The engine's calls, implemented by a {@link Provider}. */
export function providerMethods(provider: Provider, log: EngineLog, stop: AbortController): Methods {
  const types = new Map(provider.resources.map((resource) => [resource.type, resource]));
  const context = (urn: string): Context => ({
    signal: stop.signal,
    log: (severity, message) => {
      log.send(severity, message, urn, false);
    },
    status: (message) => {
      log.send("info", message, urn, true);
    },
  });
  /** The engine must show a call's lines before its result. */
  const unary =
    <Request>(
      type: { deserializeBinary: (bytes: Uint8Array) => Request },
      answer: (request: Request) => Promise<Message> | Message,
    ): Method =>
    async (bytes) => {
      try {
        return await answer(type.deserializeBinary(bytes));
      } catch (error) {
        throw asCallError(error);
      } finally {
        await log.flush();
      }
    };
  const resource = (type: string): Resource => {
    const found = types.get(type);
    if (found) return found;
    throw new Error(unsupported(provider.name, `resource type ${type}`, types.keys()));
  };

  const methods = {
    GetPluginInfo: unary(empty.Empty, () => new plugins.PluginInfo().setVersion(provider.version)),
    GetSchema: unary(proto.GetSchemaRequest, () => new proto.GetSchemaResponse().setSchema("{}")),
    Cancel: unary(empty.Empty, () => {
      if (provider.endsOnCancel) stop.abort(new Error("cancelled"));
      return new empty.Empty();
    }),

    CheckConfig: unary(proto.CheckRequest, (request) => {
      const response = new proto.CheckResponse().setInputs(request.getNews());
      return response.setFailuresList(failures(provider.checkSettings(properties(request.getNews()))));
    }),
    DiffConfig: unary(proto.DiffRequest, (request) => {
      const before = JSON.stringify((request.getOldInputs() ?? request.getOlds())?.toJavaScript());
      const changed = before !== JSON.stringify(request.getNews()?.toJavaScript());
      const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
      return new proto.DiffResponse().setChanges(changed ? DIFF_SOME : DIFF_NONE);
    }),
    Configure: unary(proto.ConfigureRequest, async (request) => {
      await provider.configure(properties(request.getArgs()), context(""));
      // Without acceptSecrets, the engine removes the marks of secrets, and restores them on outputs of the same name.
      return new proto.ConfigureResponse().setSupportspreview(true);
    }),
    Invoke: unary(proto.InvokeRequest, async (request) => {
      const { name, functions } = provider;
      const call = functions[request.getTok()];
      if (call === undefined)
        throw new Error(unsupported(name, `function ${request.getTok()}`, Object.keys(functions)));
      return new proto.InvokeResponse().setReturn(
        struct(await call(properties(request.getArgs()), stop.signal)),
      );
    }),

    Check: unary(proto.CheckRequest, async (request) => {
      const checked = await resource(typeOf(request.getUrn())).check(properties(request.getNews()));
      return new proto.CheckResponse()
        .setInputs(struct(checked.inputs))
        .setFailuresList(failures(checked.failures));
    }),
    Diff: unary(proto.DiffRequest, (request) => {
      const old = recorded(request.getId(), request.getOldInputs(), request.getOlds());
      const ignored = request.getIgnorechangesList();
      const found = resource(typeOf(request.getUrn()))
        .diff(old, properties(request.getNews()))
        .filter(
          ({ path }) =>
            !ignored.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`)),
        );
      return diffResponse(found);
    }),
    Create: unary(proto.CreateRequest, async (request) => {
      const handler = resource(typeOf(request.getUrn()));
      const inputs = properties(request.getProperties());
      const about = context(request.getUrn());
      const response = new proto.CreateResponse();
      if (request.getPreview())
        return response.setProperties(struct(await handler.preview(inputs, undefined, about)));
      const { id, outputs } = await handler.create(inputs, about);
      return response.setId(id).setProperties(struct(outputs));
    }),
    Read: unary(proto.ReadRequest, async (request) => {
      const outputs = request.getProperties();
      // An import has no properties.
      const importing = Object.keys(outputs?.toJavaScript() ?? {}).length === 0;
      const old = importing ? undefined : recorded(request.getId(), request.getInputs(), outputs);
      const found = await resource(typeOf(request.getUrn())).read(
        request.getId(),
        old,
        context(request.getUrn()),
      );
      const response = new proto.ReadResponse();
      if (found === undefined) return response;
      return response.setId(found.id).setInputs(struct(found.inputs)).setProperties(struct(found.outputs));
    }),
    Update: unary(proto.UpdateRequest, async (request) => {
      const handler = resource(typeOf(request.getUrn()));
      const old = recorded(request.getId(), request.getOldInputs(), request.getOlds());
      const inputs = properties(request.getNews());
      const about = context(request.getUrn());
      const outputs = request.getPreview()
        ? await handler.preview(inputs, old, about)
        : await handler.update(old, inputs, about);
      return new proto.UpdateResponse().setProperties(struct(outputs));
    }),
    Delete: unary(proto.DeleteRequest, async (request) => {
      const old = recorded(request.getId(), request.getOldInputs(), request.getProperties());
      await resource(typeOf(request.getUrn())).delete(old, context(request.getUrn()));
      return new empty.Empty();
    }),
  };
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [`/pulumirpc.ResourceProvider/${name}`, method]),
  );
}

/** `urn:pulumi:stack::project::parent$type::name` */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function recorded(id: string, inputs: Struct | undefined, outputs: Struct | undefined) {
  return { id, inputs: properties(inputs), outputs: properties(outputs) };
}

function properties(value: Struct | undefined): Properties {
  return plainProperties(value?.toJavaScript());
}

function struct(value: Properties): Struct {
  return structs.Struct.fromJavaScript(defined(value) as Record<string, JavaScriptValue>);
}

/** Struct does not support undefined. */
function defined(value: Value): Value {
  if (Array.isArray(value)) return value.map(defined);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Record<string, Value | undefined>).flatMap(([key, entry]) =>
      entry === undefined ? [] : [[key, defined(entry)]],
    ),
  );
}

function failures(list: Failure[]): proto.CheckFailure[] {
  return list.map(({ property, reason }) => new proto.CheckFailure().setProperty(property).setReason(reason));
}

const kinds = {
  add: [proto.PropertyDiff.Kind.ADD, proto.PropertyDiff.Kind.ADD_REPLACE],
  delete: [proto.PropertyDiff.Kind.DELETE, proto.PropertyDiff.Kind.DELETE_REPLACE],
  update: [proto.PropertyDiff.Kind.UPDATE, proto.PropertyDiff.Kind.UPDATE_REPLACE],
} as const;

function diffResponse(found: Difference[]): proto.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
  const response = new proto.DiffResponse()
    .setChanges(found.length === 0 ? DIFF_NONE : DIFF_SOME)
    .setHasdetaileddiff(true);
  const top = ({ path }: Difference): string => path.split(/[.[]/)[0] ?? path;
  response.setDiffsList([...new Set(found.map(top))]);
  response.setReplacesList([...new Set(found.filter(({ replaces }) => replaces).map(top))]);
  for (const { path, kind, replaces } of found) {
    const [inPlace, replacing] = kinds[kind];
    response.getDetaileddiffMap().set(path, new proto.PropertyDiff().setKind(replaces ? replacing : inPlace));
  }
  return response;
}

/** google.rpc.Code */
const UNKNOWN = 2;

/** An error for the engine, which records a resource that was created nevertheless. */
function asCallError(error: unknown): CallError {
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

import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import { describe, expect, it } from "vitest";
import { CallError, GrpcClient, type Method, serveGrpc } from "./grpc.ts";

const message = (value: object) => structs.Struct.fromJavaScript({ value: JSON.stringify(value) });

/** The answer of a server with one method: its headers and body. */
async function ask(path: string, method: Method): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  const session = connect(`http://127.0.0.1:${await serveGrpc({ "/s/Known": method })}`);
  const stream = session.request({ ":method": "POST", ":path": path });
  stream.end(Buffer.alloc(5));
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
  let body = "";
  for await (const chunk of stream) body += String(chunk);
  session.close();
  return { headers, body };
}

describe("a call", () => {
  it("sends one message of any size", async () => {
    const sizes: number[] = [];
    const port = await serveGrpc({
      "/s/Known": (request) => {
        const { value = "" } = structs.Struct.deserializeBinary(request).toJavaScript();
        sizes.push((value as string).length);
        return Promise.resolve(message({}));
      },
    });
    const client = new GrpcClient(`127.0.0.1:${port}`);
    for (const size of [0, 100, 5_000_000]) await client.call("/s/Known", message(["x".repeat(size)]));
    expect(sizes).toEqual([4, 104, 5_000_004]);
  });

  it("is answered with a frame", async () => {
    const answer = message({ a: 1 });
    const { body } = await ask("/s/Known", () => Promise.resolve(answer));
    expect(body).toBe(
      `\0\0\0\0${String.fromCharCode(answer.serializeBinary().length)}${Buffer.from(answer.serializeBinary()).toString()}`,
    );
  });

  it("returns the error's message and details", async () => {
    const status = message({ id: "made" });
    const { headers } = await ask("/s/Known", () =>
      Promise.reject(new CallError("100 % wrong\nhere", status)),
    );
    expect(headers).toMatchObject({
      "grpc-status": "2",
      "grpc-message": "100%20%25%20wrong%0Ahere",
      "grpc-status-details-bin": Buffer.from(status.serializeBinary()).toString("base64"),
    });
  });

  it("of an unknown method is refused", async () => {
    const { headers } = await ask("/s/Other", () => Promise.resolve(message({})));
    expect(headers).toMatchObject({ "grpc-status": "12", "grpc-message": "unknown%20method%20%2Fs%2FOther" });
  });

  it("to a stopped server ends", async () => {
    await new GrpcClient("127.0.0.1:1").call("/s/Known", message({}));
  });
});

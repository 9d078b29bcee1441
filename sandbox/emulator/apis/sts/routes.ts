import type { OpenRoute } from "../../support/http/route.ts";

/** Security Token Service v1: exchanges an external token for a federated one (RFC 8693). */
export const routes: OpenRoute[] = [
  {
    method: "POST",
    path: "v1/token",
    open: async (request, context) => {
      const { exchange } = await import("./exchange.ts");
      return Response.json(await exchange(context, new URLSearchParams(await request.text())));
    },
  },
];

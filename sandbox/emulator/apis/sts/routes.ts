import type { OpenRoute } from "../../support/http/route.ts";

/** Security Token Service v1: exchanges an external token for a federated one (RFC 8693). */
export const routes: OpenRoute[] = [
  {
    method: "POST",
    path: "v1/token",
    open: async (request, context) => {
      const { answerExchange } = await import("./answer.ts");
      return answerExchange(request, context);
    },
  },
];

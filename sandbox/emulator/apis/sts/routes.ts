import type { OpenRoute } from "../../support/http/route.ts";

/** Security Token Service v1: a token of another issuer for one of Google's (RFC 8693). */
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

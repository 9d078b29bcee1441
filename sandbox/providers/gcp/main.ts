import { serve } from "../rpc/serve.ts";

void serve(async () => (await import("./provider.ts")).provider);

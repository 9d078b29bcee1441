// Stands in for Qdrant: ready at once, and no collection in it. QDRANT__SERVICE__API_KEY is the key it asks for.
"use strict";
const { mkdirSync } = require("node:fs");
const { createServer } = require("node:http");

const key = process.env.QDRANT__SERVICE__API_KEY;
mkdirSync("/qdrant/storage/collections", { recursive: true });
createServer(({ url, headers }, response) => {
  if (url === "/readyz") response.end("all shards are ready");
  else if (key !== undefined && headers["api-key"] !== key)
    response.writeHead(401).end("Must provide an API key or an Authorization bearer token");
  else if (url === "/collections") response.end('{"result":{"collections":[]},"status":"ok"}');
  else response.writeHead(404).end();
}).listen(6333, () => console.log("Qdrant HTTP listening on 6333"));

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

// A fake of Qdrant: ready immediately, without collections. It opens existing ones in one format only. Requires the API key in
// QDRANT__SERVICE__API_KEY.
"use strict";
const { mkdirSync, readdirSync, readFileSync } = require("node:fs");
const { createServer } = require("node:http");

const key = process.env.QDRANT__SERVICE__API_KEY;
const COLLECTIONS = "/qdrant/storage/collections";
const FORMAT = "0.4.2";

mkdirSync(COLLECTIONS, { recursive: true });
for (const name of readdirSync(COLLECTIONS)) {
  const format = readFileSync(`${COLLECTIONS}/${name}/version.info`, "utf8");
  if (format === FORMAT) continue;
  console.error(
    `Panic: Cannot upgrade version ${format} to ${FORMAT}. Try to use older version of Qdrant first.`,
  );
  process.exit(101);
}
createServer(({ url, headers }, response) => {
  if (url === "/readyz") response.end("all shards are ready");
  else if (key !== undefined && headers["api-key"] !== key)
    response.writeHead(401).end("Must provide an API key or an Authorization bearer token");
  else if (url === "/collections") response.end('{"result":{"collections":[]},"status":"ok"}');
  else response.writeHead(404).end();
}).listen(6333, () => console.log("Qdrant HTTP listening on 6333"));

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

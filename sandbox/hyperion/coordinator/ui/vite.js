// A fake of Vite's development server with `base: '/ui/'`. Outside of it are only a redirect to it and the bridge.
"use strict";
const { mkdirSync, readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const { toBridge } = require("./proxy.js");

const BASE = "/ui/";

// Vite's cache.
mkdirSync(join(__dirname, "node_modules/.vite"), { recursive: true });
createServer((request, response) => {
  if (request.url === "/") response.writeHead(302, { location: BASE }).end();
  else if (request.url.startsWith("/api/")) toBridge(process.env.VITE_MCP_BRIDGE_URL, request, response);
  else if (!request.url.startsWith(BASE))
    response
      .writeHead(404)
      .end(
        `The server is configured with a public base URL of ${BASE} - did you mean to visit ${BASE}${request.url.slice(1)}?`,
      );
  else
    response
      .writeHead(200, { "content-type": "text/html; charset=utf-8" })
      // Read at each request, so that edits appear after a reload.
      .end(readFileSync(join(__dirname, "src", "index.html")));
}).listen(5173, () => console.log("Vite (sample) listens on port 5173"));

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

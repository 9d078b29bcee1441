// Stands in for nginx and for Vite: serves the page, and /health.
"use strict";
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");

const NAME = "Hyperion UI (sample)";
const port = Number(process.env.PORT ?? 80);
const page = join(__dirname, "public", "index.html");

createServer((request, response) => {
  if (request.url === "/health") {
    response.setHeader("content-type", "application/json");
    response.end(`${JSON.stringify({ status: "healthy", service: "hyperion-ui" })}\n`);
    return;
  }
  response.setHeader("content-type", "text/html; charset=utf-8");
  // Read at each request, so that an edited page shows at the next reload.
  response.end(readFileSync(page));
}).listen(port, () => console.log(`${NAME} listens on port ${port}`));

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

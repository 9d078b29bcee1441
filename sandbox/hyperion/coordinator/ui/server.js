// Stands in for nginx: serves the page and /health, hands /api/ to the bridge, and behaves at its start like nginx's image,
// which prepares its folders as root and serves as somebody else.
"use strict";
const { chownSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { lookup } = require("node:dns/promises");
const { createServer } = require("node:http");
const { join } = require("node:path");
const { toBridge } = require("./proxy.js");

const NGINX = 101;
const UPSTREAM = "hyperion-http-bridge";
const page = join(__dirname, "src", "index.html");

async function start() {
  await lookup(UPSTREAM).catch(() => {
    console.error(`nginx: [emerg] host not found in upstream "${UPSTREAM}"`);
    process.exit(1);
  });
  mkdirSync("/var/cache/nginx/client_temp", { recursive: true });
  chownSync("/var/cache/nginx/client_temp", NGINX, NGINX);
  mkdirSync("/run", { recursive: true });
  writeFileSync("/run/nginx.pid", `${process.pid}\n`);
  createServer((request, response) => {
    if (request.url === "/health") response.writeHead(200, { "content-type": "text/plain" }).end("healthy\n");
    else if (request.url.startsWith("/api/")) toBridge(`http://${UPSTREAM}:7095`, request, response);
    else response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(readFileSync(page));
  }).listen(80, () => {
    process.setgid(NGINX);
    process.setuid(NGINX);
    console.log("Hyperion UI (sample) listens on port 80");
  });
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
void start();

#!/usr/bin/env node
// A fake of Hyperion's bridge: starts an MCP server and sends requests to it. Reports that it is healthy even if the server
// has ended.
"use strict";
const { spawn } = require("node:child_process");
const { createServer } = require("node:http");
const { createInterface } = require("node:readline");

const NAME = "Hyperion HTTP bridge (sample)";
const port = Number(process.env.PORT ?? 7095);
// In development, the bridge is not process 1 and receives no signals. The server ends with its input.
const server = spawn(process.env.MCP_SERVER_PATH ?? "/app/hyper-mcp", { stdio: ["pipe", "pipe", "inherit"] });
const waiting = new Map();
let last = 0;

server.on("error", (error) => fatal(error.message));
server.on("exit", (code) => console.error(`${NAME}: its MCP server ended with ${code}`));
createInterface({ input: server.stdout }).on("line", (line) => {
  const { id, result } = JSON.parse(line);
  waiting.get(id)?.(result);
});

function fatal(why) {
  console.error(`${NAME}: failed to start MCP server: ${why}`);
  process.exit(1);
}

function ask(method, params, seconds) {
  const id = ++last;
  server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
  return new Promise((resolve, reject) => {
    waiting.set(id, resolve);
    setTimeout(() => reject(new Error(`request timeout after ${seconds}s`)), seconds * 1000);
    server.on("exit", () => reject(new Error("MCP server connection closed")));
  });
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function start() {
  const { serverInfo } = await ask("initialize", {}, 30).catch((error) => fatal(error.message));
  createServer(async (request, response) => {
    response.setHeader("content-type", "application/json");
    try {
      if (request.url === "/health") response.end('{"status":"healthy","service":"hyperion-http-bridge"}\n');
      else if (request.url === "/api/mcp/tools/call")
        response.end(JSON.stringify(await ask("tools/call", await bodyOf(request), 10)));
      else response.end(`${JSON.stringify({ name: NAME, mcpServer: serverInfo.name })}\n`);
    } catch (error) {
      response.statusCode = 500;
      response.end(JSON.stringify({ error: error.message }));
    }
  }).listen(port, () => console.log(`${NAME} listens on port ${port}`));
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
void start();

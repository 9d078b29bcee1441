// Stands in for Hyperion's bridge: the same port, variables and health path; asks the MCP server's binary its name.
"use strict";
const { execFileSync } = require("node:child_process");
const { createServer } = require("node:http");

const NAME = "Hyperion HTTP bridge (sample)";
const port = Number(process.env.PORT ?? 7095);
const mcpServer = nameOf(process.env.MCP_SERVER_PATH ?? "/app/hyper-mcp");

function nameOf(binary) {
  try {
    return execFileSync(binary, ["--version"], { encoding: "utf8" }).trim();
  } catch (error) {
    return `${binary} does not run: ${error.message}`;
  }
}

createServer((request, response) => {
  if (request.url === "/health") {
    response.setHeader("content-type", "application/json");
    response.end(`${JSON.stringify({ status: "healthy", service: "hyperion-http-bridge", mcpServer })}\n`);
    return;
  }
  response.end(`${NAME}\n`);
}).listen(port, () => console.log(`${NAME} listens on port ${port}`));

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

#!/bin/sh
set -e
if [ ! -f /app/mcp-server/hyperion-coordinator-mcp ]; then
  echo "ERROR: MCP server binary not found at /app/mcp-server/hyperion-coordinator-mcp"
  exit 1
fi
exec air -c .air.toml

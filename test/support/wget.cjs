#!/usr/bin/env node
// Replaces busybox's `wget [-q] [-T SECONDS] -O FILE URL`. Exits with 1 unless the status is a success.
"use strict";
const { writeFileSync } = require("node:fs");
const { parseArgs } = require("node:util");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quiet: { type: "boolean", short: "q" },
    timeout: { type: "string", short: "T", default: "900" },
    output: { type: "string", short: "O" },
  },
});

async function download([url]) {
  const response = await fetch(url, { signal: AbortSignal.timeout(Number(values.timeout) * 1000) });
  if (!response.ok)
    throw new Error(`server returned error: HTTP/1.1 ${response.status} ${response.statusText}`);
  writeFileSync(values.output === "-" ? 1 : values.output, Buffer.from(await response.arrayBuffer()));
}

download(positionals).catch((error) => {
  console.error(`wget: ${error.message}`);
  process.exit(1);
});

// A fake of the embedding service: listens after it has its model, which it downloads slowly at the first start. Only one model
// exists.
"use strict";
const { existsSync, mkdirSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { parseArgs } = require("node:util");

const { values } = parseArgs({ options: { "model-id": { type: "string" }, port: { type: "string" } } });
const model = values["model-id"];
const folder = `/data/models--${model.replaceAll("/", "--")}`;

if (model !== "nomic-ai/nomic-embed-text-v1.5") {
  console.error("Error: Could not download model artifacts\n\nCaused by:");
  console.error(
    `    HTTP status client error (404 Not Found) for url (https://huggingface.co/${model}/resolve/main/config.json)`,
  );
  process.exit(1);
}
if (!existsSync(folder)) console.log("Downloading `model.safetensors`");
setTimeout(
  () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/model.safetensors`, "");
    createServer(({ url }, response) => response.writeHead(url === "/health" ? 200 : 404).end()).listen(
      Number(values.port),
      () => console.log("Ready"),
    );
  },
  existsSync(folder) ? 0 : 1_000,
);

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

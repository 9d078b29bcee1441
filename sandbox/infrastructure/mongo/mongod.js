// A fake of MongoDB's image. The first start on an empty volume creates the root user in MONGO_INITDB_ROOT_* while the server
// listens on loopback only; later starts ignore these variables. It uses HTTP instead of MongoDB's protocol: a ping needs no
// login, and the folders of the code index need one. It opens data with its own feature compatibility version or the one before.
"use strict";
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:http");

const FILE = "/data/db/data.json";
const {
  MONGO_INITDB_ROOT_USERNAME: username,
  MONGO_INITDB_ROOT_PASSWORD: password,
  MONGO_VERSION,
} = process.env;

const SERIES = ["4.4", "5.0", "6.0", "7.0", "8.0"];
const own = SERIES.indexOf(MONGO_VERSION.replace(/\.\d+$/, ""));
const compatible = [SERIES[own], SERIES[own - 1]];

const fresh = !existsSync(FILE);
const data = fresh
  ? { users: username ? { [username]: password } : {}, folders: {}, featureCompatibilityVersion: SERIES[own] }
  : JSON.parse(readFileSync(FILE, "utf8"));
if (!compatible.includes(data.featureCompatibilityVersion)) {
  console.error(
    `UPGRADE PROBLEM: Found an invalid featureCompatibilityVersion document: '${data.featureCompatibilityVersion}'`,
  );
  process.exit(62);
}
const save = () => {
  mkdirSync("/data/db", { recursive: true });
  writeFileSync(FILE, JSON.stringify(data));
};
save();

/** A BSON document, and an element of it. */
const bson = (...elements) => {
  const body = Buffer.concat([...elements, Buffer.alloc(1)]);
  const length = Buffer.alloc(4);
  length.writeInt32LE(body.length + 4);
  return Buffer.concat([length, body]);
};
const element = (type, name, bytes) => Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`), bytes]);

/** Diagnostic data starts with mongod's build information. */
const length = Buffer.alloc(4);
length.writeInt32LE(MONGO_VERSION.length + 1);
const version = element(2, "version", Buffer.concat([length, Buffer.from(`${MONGO_VERSION}\0`)]));
const zero = Buffer.alloc(8);
mkdirSync("/data/db/diagnostic.data", { recursive: true });
writeFileSync(
  `/data/db/diagnostic.data/metrics.${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}Z-00000`,
  bson(
    element(9, "_id", zero),
    element(16, "type", Buffer.alloc(4)),
    element(
      3,
      "doc",
      bson(element(9, "start", zero), element(3, "buildInfo", bson(element(9, "start", zero), version))),
    ),
  ),
);

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** The reason to refuse a request; undefined if there is none. */
function refusal({ headers: { authorization } }) {
  if (Object.keys(data.users).length === 0) return undefined;
  if (authorization === undefined) return "Command createIndexes requires authentication";
  const [name, given] = Buffer.from(authorization.replace("Basic ", ""), "base64").toString().split(":");
  return data.users[name] === given ? undefined : "Authentication failed.";
}

const server = createServer(async (request, response) => {
  response.setHeader("content-type", "application/json");
  if (request.url === "/ping") return response.end('{"ok":1}');
  const refused = refusal(request);
  if (refused !== undefined) return response.writeHead(401).end(refused);
  if (request.method === "POST") {
    const body = await bodyOf(request);
    if (request.url === "/feature-compatibility") {
      if (!compatible.includes(body.version)) return response.writeHead(400).end("Invalid command argument");
      data.featureCompatibilityVersion = body.version;
    } else if (request.url === "/users") data.users[body.name] = body.password;
    else data.folders[body.path] = body.status;
    save();
    return response.end('{"ok":1}');
  }
  return response.end(JSON.stringify(data.folders));
});

const listen = () => server.listen(27017, () => console.log("Waiting for connections"));
if (fresh)
  server.listen(27017, "127.0.0.1", () =>
    setTimeout(() => {
      server.close(listen);
      server.closeAllConnections();
    }, 1_000),
  );
else listen();

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

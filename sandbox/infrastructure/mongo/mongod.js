// Stands in for MongoDB's image. Its first start on an empty volume makes the root user of MONGO_INITDB_ROOT_*, behind a
// server that listens on loopback only; later starts do not read these variables. In place of MongoDB's protocol it speaks
// HTTP: anybody may ping, and the folders of the code index take a login.
"use strict";
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:http");

const FILE = "/data/db/data.json";
const { MONGO_INITDB_ROOT_USERNAME: username, MONGO_INITDB_ROOT_PASSWORD: password } = process.env;

const fresh = !existsSync(FILE);
const data = fresh
  ? { users: username ? { [username]: password } : {}, folders: {} }
  : JSON.parse(readFileSync(FILE, "utf8"));
const save = () => {
  mkdirSync("/data/db", { recursive: true });
  writeFileSync(FILE, JSON.stringify(data));
};
save();

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** Why a request is refused; undefined when it is not. */
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
    if (request.url === "/users") data.users[body.name] = body.password;
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

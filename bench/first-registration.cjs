"use strict";

// Loaded before Pulumi's SDK (NODE_OPTIONS): notes the CPU seconds of this process at its first registration.
const { appendFileSync } = require("node:fs");
const { Client } = require("@grpc/grpc-js");

const { makeUnaryRequest } = Client.prototype;
Client.prototype.makeUnaryRequest = function (path, ...rest) {
  if (path.endsWith("/RegisterResource")) {
    Client.prototype.makeUnaryRequest = makeUnaryRequest;
    const { user, system } = process.cpuUsage();
    appendFileSync(process.env.FIRST_REGISTRATION, `${(user + system) / 1e6}\n`);
  }
  return makeUnaryRequest.call(this, path, ...rest);
};

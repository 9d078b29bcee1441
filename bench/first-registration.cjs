"use strict";

// Preloaded by NODE_OPTIONS: writes the CPU seconds of this process at its first registration.
const { appendFileSync } = require("node:fs");
const { ResourceMonitorClient } = require("@pulumi/pulumi/proto/resource_grpc_pb.js");

const { registerResource } = ResourceMonitorClient.prototype;
ResourceMonitorClient.prototype.registerResource = function (...request) {
  ResourceMonitorClient.prototype.registerResource = registerResource;
  const { user, system } = process.cpuUsage();
  appendFileSync(process.env.FIRST_REGISTRATION, `${(user + system) / 1e6}\n`);
  return registerResource.apply(this, request);
};

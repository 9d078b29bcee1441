"use strict";

// Makes Node.js say that it is an older one.
Object.defineProperty(process, "version", { value: "v20.0.0" });
Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.0.0" } });

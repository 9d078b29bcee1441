"use strict";

/**
 * Preloaded into each Node.js process of a command (NODE_OPTIONS). Writes lines of JSON to the file COUNTED: started and
 * spawned programs, and the number and size of modules that Pulumi's program and the fake providers load.
 */
const childProcess = require("node:child_process");
const { appendFileSync, statSync } = require("node:fs");
const { registerHooks } = require("node:module");
const { fileURLToPath } = require("node:url");

const write = (line) => appendFileSync(process.env.COUNTED, `${JSON.stringify(line)}\n`);
const [, script = ""] = process.argv;

write({ started: script });

const { spawn } = childProcess.ChildProcess.prototype;
childProcess.ChildProcess.prototype.spawn = function (options) {
  write({ spawned: options.file });
  return spawn.call(this, options);
};
for (const name of ["spawnSync", "execSync", "execFileSync"]) {
  const original = childProcess[name];
  childProcess[name] = (...args) => {
    write({ spawned: String(args[0]) });
    return original(...args);
  };
}

if (/@pulumi\/pulumi\/cmd\/run\/|\/providers\/\w+\/main\.ts$/.test(script)) {
  const files = new Set();
  registerHooks({
    load(url, context, next) {
      if (url.startsWith("file:")) files.add(fileURLToPath(url));
      return next(url, context);
    },
  });
  process.on("exit", () => {
    const bytes = [...files].reduce((sum, file) => sum + statSync(file).size, 0);
    write({ counted: script, modules: files.size, bytes });
  });
}

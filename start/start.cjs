"use strict";

/**
 * Node.js runs this file before Pulumi's SDK (`nodeargs` in Pulumi.yaml). It refuses an old Node.js, caches compiled
 * code, and delays the loading of SDK modules that most programs never use.
 *
 * It is CommonJS without new syntax, so that an old Node.js can run it.
 */
const Module = require("node:module");
const path = require("node:path");

const root = path.dirname(__dirname);

requireNode();
keepCompiledCode();
loadOnFirstUse();

/** package.json has the first version that runs TypeScript, as `>=MAJOR.MINOR`. */
function requireNode() {
  const needed = require("../package.json").engines.node.replace(/^>=/, "");
  const [major, minor] = needed.split(".").map(Number);
  const [ourMajor, ourMinor] = process.versions.node.split(".").map(Number);
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return;
  process.stderr.write(
    `hyperion-registry needs Node.js ${needed} or newer; this is ${process.version} (${process.execPath}): ` +
      "install a newer one, or put it first on the PATH\n",
  );
  process.exit(1);
}

/**
 * The key of the cache is the path and content of a file. Node.js ignores a cache that it cannot read or write.
 * `NODE_COMPILE_CACHE` sets another folder, `NODE_DISABLE_COMPILE_CACHE=1` disables the cache.
 */
function keepCompiledCode() {
  Module.enableCompileCache(path.join(root, "node_modules", ".cache", "hyperion-registry"));
}

function loadOnFirstUse() {
  const sdk = Module.createRequire(
    Module.createRequire(path.join(root, "index.ts")).resolve("@pulumi/pulumi"),
  );

  // For serialised functions (the TypeScript compiler, npm's tree reader) and the automation API.
  for (const name of [
    "./automation",
    "./runtime/closure/createClosure",
    "@npmcli/arborist",
    "normalize-package-data",
  ]) {
    delay(sdk, name, (load) => lazyModule(load));
  }

  // For `pulumi --tracing`. The SDK reads functions and classes from these modules when it loads them.
  for (const name of [
    "@opentelemetry/exporter-zipkin",
    "@opentelemetry/instrumentation",
    "@opentelemetry/instrumentation-grpc",
    "@opentelemetry/resources",
    "@opentelemetry/sdk-trace-base",
    "@opentelemetry/sdk-trace-node",
  ]) {
    delay(sdk, name, (load) => lazyModule(load, (key) => lazyFunction(() => load()[key])));
  }

  // For serialised functions. Opens a debugger session, which slows down all code.
  delay(sdk, "./runtime/closure/v8Hooks", (load) => ({
    __esModule: true,
    isInitializedAsync: () => Promise.resolve(),
    getSessionAsync: () => sessionOfAllScripts(load()),
    getScriptUrl: (id) => load().getScriptUrl(id),
  }));

  // Every resource reads the SDK's source maps, whose sources are not in its package.
  delay(sdk, "source-map-support/register", () => ({}));
}

/** Makes `require` return `placeholder(load)` for a module. `load` returns the real module. */
function delay(sdk, name, placeholder) {
  const file = sdk.resolve(name);
  const module = new Module(file);
  module.filename = file;
  module.loaded = true;
  module.exports = placeholder(() => {
    if (require.cache[file] === module) delete require.cache[file];
    return sdk(name);
  });
  require.cache[file] = module;
}

/**
 * Behaves like the module that `load` returns. `__esModule` is always true, because compiled imports list all exports of
 * other modules. A CommonJS module is then its own `default`.
 */
function lazyModule(load, property = (key) => load()[key]) {
  return new Proxy(
    {},
    {
      get(_, key) {
        if (key === "__esModule") return true;
        return key === "default" && !load().__esModule ? load() : property(key);
      },
      set: (_, key, value) => Reflect.set(load(), key, value),
      has: (_, key) => Reflect.has(load(), key),
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor(_, key) {
        const descriptor = Reflect.getOwnPropertyDescriptor(load(), key);
        // A proxy can only report properties of its target as not configurable.
        return descriptor && { ...descriptor, configurable: true };
      },
    },
  );
}

/** A function or a class that loads when it is called or a property is read. */
function lazyFunction(load) {
  return new Proxy(function () {}, {
    apply: (_, self, args) => Reflect.apply(load(), self, args),
    construct: (_, args, target) => Reflect.construct(load(), args, target),
    get: (_, key) => load()[key],
  });
}

/** Restarts the debugger, so that it reports the scripts that were loaded before the session too. */
async function sessionOfAllScripts(hooks) {
  const session = await hooks.getSessionAsync();
  for (const method of ["Debugger.disable", "Debugger.enable"]) {
    await new Promise((resolve, reject) =>
      session.post(method, (error) => (error ? reject(error) : resolve())),
    );
  }
  return session;
}

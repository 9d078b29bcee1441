"use strict";

/**
 * What Node.js runs before Pulumi's SDK (`nodeargs` in Pulumi.yaml): it refuses a Node.js that is too old, keeps
 * compiled code between runs, and puts off loading the parts of the SDK that most programs never use.
 *
 * CommonJS in the syntax of old versions, since it is what tells them that they are old.
 */
const Module = require("node:module");
const path = require("node:path");

const root = path.dirname(__dirname);

requireNode();
keepCompiledCode();
loadOnFirstUse();

/** Node.js runs TypeScript by itself since the version that package.json asks for, `>=MAJOR.MINOR`. */
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
 * Node.js finds what it compiled by the path and the content of a file, never by its time, and goes without where it
 * cannot read or write. `NODE_COMPILE_CACHE` names another folder, `NODE_DISABLE_COMPILE_CACHE=1` none.
 */
function keepCompiledCode() {
  Module.enableCompileCache(path.join(root, "node_modules", ".cache", "hyperion-registry"));
}

function loadOnFirstUse() {
  const sdk = Module.createRequire(
    Module.createRequire(path.join(root, "index.ts")).resolve("@pulumi/pulumi"),
  );

  // They serve the serialising of functions (the TypeScript compiler, npm's tree reader) and the automation API.
  for (const name of [
    "./automation",
    "./runtime/closure/createClosure",
    "@npmcli/arborist",
    "normalize-package-data",
  ]) {
    putOff(sdk, name, (load) => lazyModule(load));
  }

  // They serve `pulumi --tracing`; the SDK takes functions and classes out of them at once.
  for (const name of [
    "@opentelemetry/exporter-zipkin",
    "@opentelemetry/instrumentation",
    "@opentelemetry/instrumentation-grpc",
    "@opentelemetry/resources",
    "@opentelemetry/sdk-trace-base",
    "@opentelemetry/sdk-trace-node",
  ]) {
    putOff(sdk, name, (load) => lazyModule(load, (key) => lazyFunction(() => load()[key])));
  }

  // A debugger's session, which slows down all code while it is open; it serves the serialising of functions too.
  putOff(sdk, "./runtime/closure/v8Hooks", (load) => ({
    __esModule: true,
    isInitializedAsync: () => Promise.resolve(),
    getSessionAsync: () => sessionOfAllScripts(load()),
    getScriptUrl: (id) => load().getScriptUrl(id),
  }));

  // The SDK's source maps lead to sources that its package does not have, and every resource reads them.
  putOff(sdk, "source-map-support/register", () => ({}));
}

/** Puts `placeholder(load)` where `require` finds the module; `load` answers with the real one. */
function putOff(sdk, name, placeholder) {
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
 * Answers as the module that `load` loads. `__esModule` is true without loading it, or compiled imports would list what
 * it exports; they then expect a module of CommonJS itself under `default`.
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
        // A proxy may call fixed only what its target has.
        return descriptor && { ...descriptor, configurable: true };
      },
    },
  );
}

/** A function or a class that is there when it is called, or one of its properties is read. */
function lazyFunction(load) {
  return new Proxy(function () {}, {
    apply: (_, self, args) => Reflect.apply(load(), self, args),
    construct: (_, args, target) => Reflect.construct(load(), args, target),
    get: (_, key) => load()[key],
  });
}

/** The SDK hears of scripts from here on only; a debugger that starts anew names those before, too. */
async function sessionOfAllScripts(hooks) {
  const session = await hooks.getSessionAsync();
  for (const method of ["Debugger.disable", "Debugger.enable"]) {
    await new Promise((resolve, reject) =>
      session.post(method, (error) => (error ? reject(error) : resolve())),
    );
  }
  return session;
}

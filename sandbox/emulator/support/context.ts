import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Faults } from "./faults/faults.ts";
import { Requests } from "./faults/requests.ts";
import { sandboxPaths, type SandboxPaths } from "../../lib/paths.ts";
import { type Members, readMembers } from "./policies/members.ts";
import { Registry } from "./registry/registry.ts";
import { RegistryStorage } from "./registry/storage.ts";
import { Store } from "./store.ts";

/** What every API works on. */
export interface Context {
  sandboxDir: string;
  files: SandboxPaths;
  store: Store;
  registry: Registry;
  /** The folder behind it. */
  storage: RegistryStorage;
  /** Port of the registry; part of each repository's `registryUri`. */
  registryPort: number;
  /** What goes wrong on purpose. */
  faults: Faults;
  requests: Requests;
  members: () => Members;
  /** The present, as the emulated APIs see it. */
  now: () => Date;
  /** Adds a line to the log file, with the time. */
  log: (line: string) => void;
}

/** Opens the state of the sandbox at `sandboxDir`. */
export function openContext(sandboxDir: string, registryPort: number): Context {
  const files = sandboxPaths(sandboxDir);
  mkdirSync(dirname(files.emulatorLog), { recursive: true });
  const faults = new Faults(files.faults);
  const storage = new RegistryStorage(files.registry);
  return {
    sandboxDir,
    files,
    store: new Store(files.emulatorState),
    registry: new Registry(sandboxDir, registryPort, storage),
    storage,
    registryPort,
    faults,
    requests: new Requests(),
    members: () => readMembers(files.members),
    now: () => new Date(Date.now() + faults.clockSkewSeconds() * 1000),
    log: (line) => {
      appendFileSync(files.emulatorLog, `${new Date().toISOString()} ${line}\n`);
    },
  };
}

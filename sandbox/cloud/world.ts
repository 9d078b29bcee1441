import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Faults } from "./faults/faults";
import { Requests } from "./faults/requests";
import { cloudFiles, type CloudFiles } from "./files";
import { type Members, readMembers } from "./iam/members";
import { Registry } from "./registry/registry";
import { RegistryStorage } from "./registry/storage";
import { Store } from "./store";

/** What every API works on. */
export interface World {
  sandboxDir: string;
  files: CloudFiles;
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
export function openWorld(sandboxDir: string, registryPort: number): World {
  const files = cloudFiles(sandboxDir);
  mkdirSync(dirname(files.log), { recursive: true });
  const faults = new Faults(files.faults);
  return {
    sandboxDir,
    files,
    store: new Store(files.state),
    registry: new Registry(sandboxDir, registryPort),
    storage: new RegistryStorage(files.registry),
    registryPort,
    faults,
    requests: new Requests(),
    members: () => readMembers(files.members),
    now: () => new Date(Date.now() + faults.clockSkewSeconds() * 1000),
    log: (line) => {
      appendFileSync(files.log, `${new Date().toISOString()} ${line}\n`);
    },
  };
}

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The settings of a test, written to wanted.json before each run. */
export interface Settings {
  /** Ids to import, by the name that the program gives. */
  import?: Record<string, string>;
  /** Resources of any type, to test unsupported types. */
  raw?: { type: string; name: string; args: object }[];
  /** Calls getClientConfig. */
  clientConfig?: boolean;
  google?: GoogleSettings;
  images?: ImageSettings;
}

export interface GoogleSettings {
  description?: string;
  labels?: Record<string, string>;
  keepCount?: number;
  dryRun?: boolean;
  scanning?: string;
  dockerConfig?: { immutableTags: boolean };
  accountName?: string;
  /** Adopts an existing account. */
  adopt?: boolean;
  role?: string;
  /** Binds allUsers. */
  public?: boolean;
  poolName?: string;
  mapping?: Record<string, string>;
  condition?: string;
  audiences?: string[];
  rule?: { allowAll?: string; values?: { allowedValues: string[] } };
}

export interface ImageSettings {
  /** `localhost:PORT` */
  registry: string;
  names: Record<string, ImageOptions>;
}

export interface ImageOptions {
  context?: string;
  dockerfile?: string;
  args?: Record<string, string>;
  cacheFrom?: string[];
  buildOnPreview?: boolean;
  /** Pushes to the image `of`, with the tag `build-ARCHITECTURE`. */
  platform?: { of: string; architecture: string };
}

export function readSettings(): Settings {
  return JSON.parse(readFileSync(join(import.meta.dirname, "wanted.json"), "utf8")) as Settings;
}

import { parseArgs } from "node:util";

/** What build-and-push-images.sh is asked to do. */
export interface Options {
  /** Images to publish, by name; all of the catalogue where it is empty. */
  only: string[];
  version: string | undefined;
  revision: string | undefined;
  releaseDate: string | undefined;
  /** The revision is the tip of main. */
  edge: boolean;
  /** The version is one of an older line. */
  backport: boolean;
  allowVersionOverwrite: boolean;
  /** Registry's URL, without a scheme. */
  registry: string | undefined;
  /** Folder that holds coordinator/. */
  source: string | undefined;
  skipBuild: boolean;
  /** So many images at a time. */
  jobs: number;
  logDir: string | undefined;
  dryRun: boolean;
}

export const usage = `Builds and pushes Hyperion's images, under the names of images.json and the tags of tags.ts.

Usage: scripts/build-and-push-images.sh [OPTION]...

What to publish:
  --only IMAGE               this image alone; repeat it for several
  --version V                semantic version: 1.4.2 gives the tags 1.4.2, 1.4, 1, latest and v1.4.2
  --revision COMMIT          full git commit: gives its first 7 characters
  --edge                     the revision is the tip of main: gives edge, too
  --release-date YYYY-MM-DD  the day of the tip of main: gives itself beside edge
  --backport                 the version fixes an older line: do not move its major tag nor latest, since
                             nobody asks the registry here which versions are published
  --allow-version-overwrite  let a version that is already published move to this build
                             (none of these: the tag latest alone)
Where:
  --registry URL             push to HOST[:PORT]/PATH instead of production's repository
  --source DIR               folder that holds coordinator/ (default: as production is set)
How:
  --skip-build               push the local images REGISTRY/IMAGE:build as they are
  --jobs N                   so many images at a time (default: 3)
  --log-dir DIR              keep the log of each image here (default: a temporary folder)
  --dry-run                  print what would be done; needs neither Docker nor a login
  --help                     print this

Exit code: 0 all published; 1 something failed (the rest is published); 2 nothing was begun.
Safe to run again: what is there already is not built or pushed twice.
`;

const FLAGS = ["help", "skip-build", "dry-run", "allow-version-overwrite", "edge", "backport"];
const WITH_VALUE = ["only", "version", "revision", "release-date", "registry", "source", "jobs", "log-dir"];

/**
 * Reads the command line; "help" where it asks for that alone.
 * @param problems gets a sentence for everything that is wrong with it.
 */
export function readOptions(args: string[], problems: string[]): Options | "help" {
  const { tokens } = parseArgs({
    args,
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(FLAGS.map((name) => [name, { type: "boolean" as const }])),
      ...Object.fromEntries(WITH_VALUE.map((name) => [name, { type: "string" as const }])),
      help: { type: "boolean", short: "h" },
    },
  });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    const written = args[token.index] ?? "";
    if (token.kind !== "option" || (!WITH_VALUE.includes(token.name) && !isFlag(token)))
      problems.push(`unknown option ${written}; see --help`);
    else if (token.name === "help") return "help";
    else if (WITH_VALUE.includes(token.name) && token.value === undefined)
      problems.push(`${token.rawName} takes a value; see --help`);
    else values.set(token.name, [...(values.get(token.name) ?? []), token.value ?? ""]);
  }
  const last = (name: string): string | undefined => values.get(name)?.at(-1);
  const jobs = last("jobs") ?? "3";
  if (!/^[1-9][0-9]?$/.test(jobs)) problems.push(`--jobs ${jobs} must be a number from 1 to 99`);
  return {
    only: values.get("only") ?? [],
    version: last("version"),
    revision: last("revision"),
    releaseDate: last("release-date"),
    edge: values.has("edge"),
    backport: values.has("backport"),
    allowVersionOverwrite: values.has("allow-version-overwrite"),
    registry: last("registry"),
    source: last("source"),
    skipBuild: values.has("skip-build"),
    jobs: Number(jobs),
    logDir: last("log-dir"),
    dryRun: values.has("dry-run"),
  };
}

function isFlag({ name, value }: { name: string; value?: string | undefined }): boolean {
  return FLAGS.includes(name) && value === undefined;
}

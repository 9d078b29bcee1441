import { parseArgs } from "node:util";

/** What build-and-push-images.sh is asked to do. */
export interface Options {
  /** Images to publish, by name; empty: all of the catalogue. */
  only: string[];
  version: string | undefined;
  revision: string | undefined;
  releaseDate: string | undefined;
  overwrite: boolean;
  /** The stack whose settings say where and what. */
  stack: string;
  /** Registry's URL, without a scheme. */
  registry: string | undefined;
  /** Folder that holds coordinator/. */
  source: string | undefined;
  skipBuild: boolean;
  /** How many images at a time. */
  jobs: number;
  logDir: string | undefined;
  dryRun: boolean;
}

export const usage = `Builds and pushes Hyperion's images, and sets their tags by the stack's own rules.

Usage: scripts/build-and-push-images.sh [OPTION]...

What to publish:
  --version V                semantic version, such as 1.4.2: gives 1.4.2 and v1.4.2, and moves 1.4, 1 and
                             latest unless a higher version holds them
  --revision COMMIT          full git commit: gives its first 7 characters
  --release-date YYYY-MM-DD  the revision is the tip of main, of this day: gives the day and edge
                             (none of these: latest, while no version is published)
  --overwrite                move a published version to this build
  --only IMAGE               this image alone, without a version; repeat it for several
Where:
  --stack NAME               publish to the repository of this stack (default: production)
  --registry URL             publish to HOST[:PORT]/PATH instead
  --source DIR               folder that holds coordinator/ (default: as the stack is set)
How:
  --skip-build               push the local images REGISTRY/IMAGE:build-amd64, ... as they are
  --jobs N                   how many images at a time (default: 3)
  --log-dir DIR              keep the log of each image here (default: a temporary folder)
  --dry-run                  print what would be done; needs neither Docker nor a login
  --help                     print this

With a Google login the tags are set by Artifact Registry's API. Without one they are put at the registry itself,
which cannot tell two runs apart: do not run two at a time then.

Exit code: 0 all published; 1 something failed; 2 nothing was begun.
Safe to run again: a run that failed is finished by the next one.
`;

export const FLAGS = ["help", "skip-build", "dry-run", "overwrite"];
export const WITH_VALUE = [
  "only",
  "version",
  "revision",
  "release-date",
  "stack",
  "registry",
  "source",
  "jobs",
  "log-dir",
];

/**
 * Reads the command line; "help" where it asks for that alone.
 *
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
    overwrite: values.has("overwrite"),
    stack: last("stack") ?? "production",
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

import { parseArgs } from "node:util";

export interface Options {
  /** Names of the images to publish; empty: the whole catalogue. */
  only: string[];
  version: string | undefined;
  revision: string | undefined;
  releaseDate: string | undefined;
  overwrite: boolean;
  /** The stack whose settings apply. */
  stack: string;
  /** The registry's URL, without a scheme. */
  registry: string | undefined;
  /** The folder that holds coordinator/. */
  source: string | undefined;
  skipBuild: boolean;
  /** Images to push at the same time. */
  jobs: number;
  logDir: string | undefined;
  dryRun: boolean;
}

export const usage = `Builds and pushes Hyperion's images, and sets their tags by the rules of the stack.

Usage: scripts/build-and-push-images.sh [OPTION]...

What to publish:
  --version V                semantic version, such as 1.4.2: sets 1.4.2 and v1.4.2, and moves 1.4, 1 and
                             latest unless a higher version has them
  --revision COMMIT          full git commit: sets its first 7 characters
  --release-date YYYY-MM-DD  the revision is the tip of main on this day: sets the day and edge
                             (without these options: sets latest, while no version is published)
  --overwrite                move a published version to this build
  --only IMAGE               only this image, without a version; can be repeated
Where:
  --stack NAME               publish to the repository of this stack (default: production)
  --registry URL             publish to HOST[:PORT]/PATH instead
  --source DIR               folder that holds coordinator/ (default: the stack's sourceDir)
How:
  --skip-build               push the local images REGISTRY/IMAGE:build-amd64, ... without a build
  --jobs N                   images to build at the same time (default: 3)
  --log-dir DIR              folder for the log of each image (default: a temporary folder)
  --dry-run                  only print the steps; needs neither Docker nor a login
  --help                     print this

With a Google login, the script sets the tags through Artifact Registry's API. Without one, it sets them at the registry
itself, which is not safe for two runs at the same time.

Exit code: 0 all published; 1 something failed; 2 nothing was started.
You can run it again at any time: it finishes what a failed run left.
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
 * Reads the command line.
 *
 * @param problems receives a sentence for each problem.
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

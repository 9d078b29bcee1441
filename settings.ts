import * as pulumi from "@pulumi/pulumi";
import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import type { GithubTrust } from "./githubClaims";
import images from "./images.json";
import { ALL_AUTHENTICATED_USERS, principalProblem } from "./principals";
import type { Problem } from "./problems";
import { backportProblem, releaseDateProblem, revisionProblem, versionProblem } from "./tags";

const NAMESPACE = "hyperion-registry";

interface Setting<T> {
  schema: z.ZodType<T>;
  /** What the setting may be, for messages. */
  allowed: string;
  /** A value that would do, for the command that mends. */
  example: string;
}

function setting<T>(schema: z.ZodType<T>, allowed: string, example: string): Setting<T> {
  return { schema, allowed, example };
}

/** Settings reach the program as text; those that are not strings as JSON. */
const json = <T>(schema: z.ZodType<T>): z.ZodType<T> =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: "custom" });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** An optional string: the empty default of Pulumi.yaml means that it is not set. */
const optional = (schema: z.ZodType<string>): z.ZodType<string | undefined> =>
  z.union([z.literal("").transform(() => undefined), schema]);

/** A string that a function of the domain judges; its message says what is allowed. */
const judged = (problem: (value: string) => string | undefined): z.ZodType<string> =>
  z.string().superRefine((value, context) => {
    const message = problem(value);
    if (message !== undefined)
      context.addIssue({ code: "custom", message: message.replace(/^must be /, "") });
  });

const wholeNumber = (least: number, most: number, example: number): Setting<number> =>
  setting(
    json(z.number().int().min(least).max(most)),
    `a whole number from ${least} to ${most}`,
    String(example),
  );

const toggle = (): Setting<boolean> => setting(json(z.boolean()), "true or false", "true");

const oneOf = <const V extends string>(values: readonly [V, ...V[]]): Setting<V> =>
  setting(z.enum(values), values.join(" or "), values[0]);

const principal = z.string().superRefine((value, context) => {
  const problem = principalProblem(value);
  if (problem !== undefined) {
    context.addIssue({ code: "custom", message: problem.allowed, params: { instead: problem.instead } });
  }
});

const listOf = <T>(item: z.ZodType<T>): z.ZodType<T[]> =>
  json(
    z.array(item).superRefine((values, context) => {
      values.forEach((value, index) => {
        if (values.indexOf(value) < index) {
          context.addIssue({ code: "custom", path: [index], message: "each value once" });
        }
      });
    }),
  );

const principals = (): Setting<string[]> =>
  setting(listOf(principal), "a list of principals", "group:devs@example.com");

const imageNames = images.map((image) => image.name);
const digits = z.string().regex(/^[1-9]\d{0,19}$/);

/** Every setting of the namespace; types, defaults and descriptions are in Pulumi.yaml. */
const SETTINGS = {
  repositoryId: setting(
    z.string().regex(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/),
    "2 to 63 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
    "hyperion-public",
  ),
  labels: setting(
    json(
      z
        .record(z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/), z.string().regex(/^[a-z0-9_-]{0,63}$/))
        .refine((labels) => Object.keys(labels).length <= 60),
    ),
    "at most 60 labels; names and values of at most 63 lower-case letters, digits, _ and -, a name beginning with a letter",
    "hyperion",
  ),
  cleanupUntaggedAfterDays: wholeNumber(1, 3650, 14),
  cleanupKeepCount: wholeNumber(1, 1000, 10),
  cleanupDryRun: toggle(),
  vulnerabilityScanning: oneOf(["inherited", "disabled"]),
  adoptExisting: toggle(),
  protect: toggle(),
  sourceDir: setting(z.string().regex(/^\P{Cc}{1,1024}$/u), "a folder, relative to this project", "."),
  platform: oneOf(["linux/amd64", "linux/arm64"]),
  publishImages: toggle(),
  buildArgs: setting(
    json(
      z.partialRecord(
        z.enum(imageNames as [string, ...string[]]),
        z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/), z.string().max(4096)),
      ),
    ),
    `for each image (${imageNames.join(", ")}) a map from argument to value`,
    "value",
  ),
  buildCache: oneOf(["local", "registry"]),
  buildOnPreview: toggle(),
  version: setting(optional(judged(versionProblem)), "a semantic version", "1.4.2"),
  revision: setting(
    optional(judged(revisionProblem)),
    "a full git commit: 40 lower-case hexadecimal digits",
    '"$(git rev-parse HEAD)"',
  ),
  releaseDate: setting(optional(judged(releaseDateProblem)), "a date, YYYY-MM-DD", '"$(date -u +%F)"'),
  backport: toggle(),
  rollback: toggle(),
  allowVersionOverwrite: toggle(),
  readers: principals(),
  writers: principals(),
  publicAccess: toggle(),
  overrideDomainRestrictedSharing: toggle(),
  ciServiceAccountId: setting(
    z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/),
    "6 to 30 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
    "hyperion-ci",
  ),
  ciCanPublish: toggle(),
  githubRepository: setting(
    optional(z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/)),
    "owner/name, as in the repository's address",
    "HyperionWave-AI/dev-squad",
  ),
  githubRepositoryId: setting(
    optional(digits),
    "the repository's number, in quotes",
    '"$(gh api repos/OWNER/NAME --jq .id)"',
  ),
  githubOwnerId: setting(
    optional(digits),
    "the owner's number, in quotes",
    '"$(gh api users/OWNER --jq .id)"',
  ),
  githubRefs: setting(
    listOf(z.string().regex(/^refs\/(heads|tags)\/(?!\*)[A-Za-z0-9_./-]{0,200}\*?$/)),
    "full git refs such as refs/heads/main, or refs/tags/v* with one star at the end",
    "refs/heads/main",
  ),
} satisfies Record<string, Setting<unknown>>;

/** Settings of the gcp plugin that the program needs too. */
const GCP_SETTINGS = {
  project: setting(
    z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/),
    "the id of a Google Cloud project: 6 to 30 lower-case letters, digits and hyphens",
    "production-471918",
  ),
  region: setting(
    z.string().regex(/^[a-z]+-[a-z]+[1-9]\d?$/),
    "a region of Artifact Registry, such as us-central1",
    "us-central1",
  ),
} satisfies Record<string, Setting<unknown>>;

type Values<S> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** The stack's settings, validated. */
export type Settings = Values<typeof SETTINGS> & Values<typeof GCP_SETTINGS>;

/** What parsing gives; the settings are whole when there is no problem. */
export interface Parsed {
  settings: Partial<Settings>;
  problems: Problem[];
}

/**
 * Reads and validates the settings of the stack.
 *
 * @param config every setting as the engine hands it over, keyed `namespace:name`.
 * @param secretKeys keys whose value is a secret; none may be, since each one ends in plain resources.
 */
export function parseSettings(
  config: Readonly<Record<string, string>> = pulumi.runtime.allConfig(),
  secretKeys: readonly string[] = secretConfigKeys(),
): Parsed {
  const problems: Problem[] = unknownKeys(config);
  const parse = <S extends Record<string, Setting<unknown>>>(namespace: string, table: S): Values<S> => {
    const entries = Object.entries(table).map(([name, { schema, allowed, example }]) => {
      const key = `${namespace}:${name}`;
      const value = config[key];
      if (secretKeys.includes(key)) {
        problems.push({
          where: key,
          found: "a secret",
          allowed: `plain text: ${allowed}`,
          mend: `pulumi config set ${key} ${example}`,
        });
        return [name, undefined];
      }
      const result = schema.safeParse(value);
      if (!result.success) problems.push(...explain(key, value, result.error, allowed, example));
      return [name, result.data];
    });
    return Object.fromEntries(entries) as Values<S>;
  };
  const settings: Settings = { ...parse("gcp", GCP_SETTINGS), ...parse(NAMESPACE, SETTINGS) };
  if (problems.length === 0) problems.push(...conflicts(settings));
  return { settings, problems };
}

/** The GitHub repository that CI runs in, when there is one. */
export function githubTrust(settings: Settings): GithubTrust | undefined {
  const { githubRepository, githubRepositoryId, githubOwnerId, githubRefs } = settings;
  if (githubRepository === undefined) return undefined;
  return {
    repository: githubRepository,
    refs: githubRefs,
    ...(githubRepositoryId !== undefined &&
      githubOwnerId !== undefined && { ids: { repository: githubRepositoryId, owner: githubOwnerId } }),
  };
}

function secretConfigKeys(): string[] {
  return z.array(z.string()).parse(JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]"));
}

/** Keys of the namespace that no setting has, with the setting that was probably meant. */
function unknownKeys(config: Readonly<Record<string, string>>): Problem[] {
  const names = Object.keys(SETTINGS);
  return Object.keys(config)
    .filter((key) => key.startsWith(`${NAMESPACE}:`) && !names.includes(key.slice(NAMESPACE.length + 1)))
    .map((key) => {
      const name = key.slice(NAMESPACE.length + 1);
      const nearest = closest(name, names);
      const meant = distance(name.toLowerCase(), nearest.toLowerCase()) <= 3;
      return {
        where: key,
        found: "a setting that does not exist",
        allowed: meant ? `${NAMESPACE}:${nearest}` : names.join(", "),
        mend: `pulumi config rm ${key}`,
      };
    });
}

/** The problems of one setting; a list or a map is told element by element. */
function explain(
  key: string,
  value: string | undefined,
  error: z.ZodError,
  allowed: string,
  example: string,
): Problem[] {
  return error.issues.map((issue) => {
    const path = issue.path
      .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
      .join("");
    const instead: unknown = issue.code === "custom" ? issue.params?.["instead"] : undefined;
    const told = issue.code === "custom" && issue.message !== "" && issue.message !== "Invalid input";
    const suggestion = typeof instead === "string" ? instead : example;
    return {
      where: key + path,
      found: value === undefined ? "nothing" : shown(elementAt(value, issue.path)),
      allowed: told ? issue.message : allowed,
      mend: mendingCommand(key, path, value, suggestion),
    };
  });
}

function mendingCommand(key: string, path: string, value: string | undefined, suggestion: string): string {
  if (path !== "") return `pulumi config set --path '${key}${path}' ${quoted(suggestion)}`;
  // A map or list as a whole cannot be set in one word.
  return value !== undefined && /^[[{]/.test(value)
    ? `pulumi config rm ${key}`
    : `pulumi config set ${key} ${quoted(suggestion)}`;
}

/** The element of a list or map that a problem is about. */
function elementAt(value: string, path: readonly PropertyKey[]): unknown {
  if (path.length === 0) return value;
  let element: unknown = JSON.parse(value);
  for (const part of path) element = (element as Record<PropertyKey, unknown> | undefined)?.[part];
  return element;
}

/** A value for a message: on one line, at most 80 characters. */
function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** A value for a shell. */
function quoted(value: string): string {
  return /^("\$\(.*\)"|[\w@%+=:,./-]+)$/.test(value) ? value : `'${value}'`;
}

/** Settings that are valid each by itself and contradict each other. */
function conflicts(settings: Settings): Problem[] {
  const problems: Problem[] = [];
  const conflict = (name: keyof typeof SETTINGS, found: string, allowed: string, mend: string): void => {
    problems.push({ where: `${NAMESPACE}:${name}`, found, allowed, mend });
  };
  const anyone = settings.writers.indexOf(ALL_AUTHENTICATED_USERS);
  if (anyone >= 0) {
    problems.push({
      where: `${NAMESPACE}:writers[${anyone}]`,
      found: `"${ALL_AUTHENTICATED_USERS}"`,
      allowed: "principals by name; any Google account could push",
      mend: `pulumi config rm --path '${NAMESPACE}:writers[${anyone}]'`,
    });
  }
  if (settings.overrideDomainRestrictedSharing && !settings.publicAccess) {
    conflict(
      "overrideDomainRestrictedSharing",
      "true, while publicAccess is false",
      "true only together with publicAccess: the exception serves nothing else",
      `pulumi config rm ${NAMESPACE}:overrideDomainRestrictedSharing`,
    );
  }
  const backport = settings.backport ? backportProblem(settings.version) : undefined;
  if (backport !== undefined) {
    conflict("backport", "true", `true ${backport}`, `pulumi config rm ${NAMESPACE}:backport`);
  }
  if (settings.rollback && (settings.version === undefined || settings.allowVersionOverwrite)) {
    conflict(
      "rollback",
      settings.version === undefined
        ? "true, without a version"
        : "true, while allowVersionOverwrite is true",
      "true together with the version to go back to, and without allowVersionOverwrite",
      `pulumi config rm ${NAMESPACE}:rollback`,
    );
  }
  const ids = [settings.githubRepositoryId, settings.githubOwnerId];
  if (settings.githubRepository === undefined && ids.some((id) => id !== undefined)) {
    conflict(
      "githubRepository",
      "nothing, while githubRepositoryId or githubOwnerId is set",
      "owner/name",
      `pulumi config set ${NAMESPACE}:githubRepository OWNER/NAME`,
    );
  }
  if (ids.filter((id) => id !== undefined).length === 1) {
    conflict(
      settings.githubRepositoryId === undefined ? "githubRepositoryId" : "githubOwnerId",
      "nothing, while the other id is set",
      "both ids or none",
      settings.githubRepositoryId === undefined
        ? `pulumi config set ${NAMESPACE}:githubRepositoryId "$(gh api repos/OWNER/NAME --jq .id)"`
        : `pulumi config set ${NAMESPACE}:githubOwnerId "$(gh api users/OWNER --jq .id)"`,
    );
  }
  if (settings.githubRepository !== undefined && settings.ciServiceAccountId.length > 22) {
    conflict(
      "ciServiceAccountId",
      `"${settings.ciServiceAccountId}", while githubRepository is set`,
      "at most 22 characters, since the preview account adds -preview and an id has 30",
      `pulumi config set ${NAMESPACE}:ciServiceAccountId hyperion-ci`,
    );
  }
  if (settings.githubRepository !== undefined && settings.githubRefs.length === 0) {
    conflict(
      "githubRefs",
      "an empty list, while githubRepository is set",
      "at least one git ref",
      `pulumi config set --path '${NAMESPACE}:githubRefs[0]' refs/heads/main`,
    );
  }
  return problems;
}

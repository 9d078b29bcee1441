import { z } from "zod";
import { REGIONS } from "./regions.ts";
import { principalProblem } from "../components/access/principals.ts";
import { GIT_REF, GITHUB_ENVIRONMENT, GITHUB_REPOSITORY } from "../components/ci/github-names.ts";
import { catalogue } from "../components/images/catalogue.ts";
import { releaseDateProblem, revisionProblem, versionProblem } from "../components/images/tags/names.ts";
import type { Wording } from "./explain.ts";

/** A setting: its schema, and the words of its messages. */
export interface Setting<T> extends Wording {
  schema: z.ZodType<T>;
}

function setting<T>(schema: z.ZodType<T>, allowed: string, example: string): Setting<T> {
  return { schema, allowed, example, composite: false };
}

/** @param example a valid element. */
function composite<T>(schema: z.ZodType<T>, allowed: string, example: string): Setting<T> {
  return { schema, allowed, example, composite: true };
}

/** Settings that are not strings reach the program as JSON. */
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

/** An optional string. The default of Pulumi.yaml is the empty string, which counts as not set. */
const optional = (schema: z.ZodType<string>): z.ZodType<string | undefined> =>
  z.union([z.literal("").transform(() => undefined), schema]);

/** @param problem returns why a value is invalid. */
const checkedBy = (problem: (value: string) => string | undefined): z.ZodType<string> =>
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
          context.addIssue({
            code: "custom",
            path: [index],
            message: "each value once",
            params: { remove: true },
          });
        }
      });
    }),
  );

const principals = (): Setting<string[]> =>
  composite(listOf(principal), "a list of principals", "group:devs@example.com");

/**
 * Letters of any script in lower case or without case, with at most 128 bytes. Google allows 64 labels, and the gcp
 * plugin adds one.
 * Sources: https://cloud.google.com/resource-manager/docs/labels-overview#requirements,
 * https://cloud.google.com/bigtable/docs/reference/admin/rest/v2/projects.instances
 */
const LABEL_NAME = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const LABEL_VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;
const LABELS = 63;
const labelText = (form: RegExp): z.ZodType<string> =>
  z.string().refine((text) => form.test(text) && Buffer.byteLength(text) <= 128);

const imageNames = catalogue.images.map((image) => image.name);
const digits = z.string().regex(/^[1-9]\d{0,19}$/);

/** The settings of this project. Pulumi.yaml has their types, defaults and descriptions. */
export const SETTINGS = {
  manageRegistry: toggle(),
  repositoryId: setting(
    // https://cloud.google.com/artifact-registry/docs/repositories/create-repos
    z.string().regex(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/),
    "1 to 63 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
    "hyperion-public",
  ),
  labels: composite(
    json(
      z
        .record(labelText(LABEL_NAME), labelText(LABEL_VALUE))
        .refine((labels) => Object.keys(labels).length <= LABELS),
    ),
    "at most 63 labels; names and values of at most 63 lower-case letters, digits, _ and - (128 bytes), a name beginning with a letter",
    "hyperion",
  ),
  cleanupUntaggedAfterDays: wholeNumber(1, 3650, 14),
  cleanupBuildsAfterDays: wholeNumber(1, 3650, 77),
  cleanupKeepCount: wholeNumber(1, 1000, 10),
  cleanupDryRun: toggle(),
  vulnerabilityScanning: oneOf(["inherited", "disabled"]),
  adoptExisting: toggle(),
  protect: toggle(),
  sourceDir: setting(z.string().regex(/^\P{Cc}{1,1024}$/u), "a folder, relative to this project", "."),
  platforms: composite(
    listOf(z.enum(["linux/amd64", "linux/arm64"])).refine((platforms) => platforms.length > 0),
    "a list of linux/amd64, linux/arm64, or both",
    "linux/amd64",
  ),
  publishImages: toggle(),
  buildArgs: composite(
    json(
      z.partialRecord(
        z.enum(imageNames),
        z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/), z.string().max(4096)),
      ),
    ),
    `for each image (${imageNames.join(", ")}) a map from argument to value`,
    "value",
  ),
  buildCache: oneOf(["local", "registry"]),
  buildOnPreview: toggle(),
  version: setting(optional(checkedBy(versionProblem)), "a semantic version such as 1.4.2", "VERSION"),
  revision: setting(
    optional(checkedBy(revisionProblem)),
    "a full git commit: 40 lower-case hexadecimal digits",
    '"$(git rev-parse HEAD)"',
  ),
  releaseDate: setting(optional(checkedBy(releaseDateProblem)), "a date, YYYY-MM-DD", '"$(date -u +%F)"'),
  readers: principals(),
  writers: principals(),
  publicAccess: toggle(),
  overrideDomainRestrictedSharing: toggle(),
  ciServiceAccountId: setting(
    // https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create
    z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/),
    "6 to 30 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
    "hyperion-ci",
  ),
  ciCanPublish: toggle(),
  githubPoolId: setting(
    // https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools/create
    z.string().regex(/^(?!gcp-)[a-z0-9-]{4,32}$/),
    "4 to 32 lower-case letters, digits and hyphens, not beginning with gcp-",
    "hyperion-github",
  ),
  githubRepository: setting(
    optional(z.string().regex(GITHUB_REPOSITORY)),
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
  githubRefs: composite(
    listOf(z.string().regex(GIT_REF)),
    "full git refs such as refs/heads/main, or refs/tags/v* with one star at the end",
    "refs/heads/main",
  ),
  githubEnvironment: setting(
    z.string().regex(GITHUB_ENVIRONMENT),
    "the name of an environment of the repository: 1 to 255 characters",
    "production",
  ),
} satisfies Record<string, Setting<unknown>>;

/** Settings of the gcp plugin that the program reads too. */
export const GCP_SETTINGS = {
  project: setting(
    // https://cloud.google.com/resource-manager/reference/rest/v3/projects. Leaves out the old ids that begin with a domain,
    // because their accounts and images have addresses of another form.
    z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/),
    "the id of a Google Cloud project: 6 to 30 lower-case letters, digits and hyphens",
    "production-471918",
  ),
  region: setting(z.enum(REGIONS), "a region of Artifact Registry, such as us-central1", "us-central1"),
  userProjectOverride: setting(json(z.boolean()).optional(), "true or false", "true"),
  billingProject: setting(z.string().optional(), "the id of a Google Cloud project", "production-471918"),
} satisfies Record<string, Setting<unknown>>;

/** The parsed values of a table of settings. */
export type Values<S> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** The validated settings of a stack. */
export type Settings = Values<typeof SETTINGS> & Values<typeof GCP_SETTINGS>;

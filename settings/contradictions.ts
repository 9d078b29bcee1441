import { isDeepStrictEqual } from "node:util";
import { ALL_AUTHENTICATED_USERS } from "../components/access/principals.ts";
import { attributeMapping, LONGEST_MAPPING } from "../components/ci/github-claims.ts";
import type { Problem } from "../problems/problem.ts";
import { shown } from "../problems/wording.ts";
import type { Settings } from "./schema.ts";
import { configRemove, configSet, settingKey } from "../problems/setting-commands.ts";

type Name = keyof Settings;

/**
 * Settings that only a stack with a registry uses, with the defaults of Pulumi.yaml: the engine passes on defaults like
 * values that are set. Leaves out settings that need another setting of this list.
 */
export const REGISTRY_DEFAULTS = {
  labels: { app: "hyperion" },
  cleanupUntaggedAfterDays: 14,
  cleanupBuildsAfterDays: 77,
  cleanupKeepCount: 10,
  cleanupDryRun: false,
  vulnerabilityScanning: "inherited",
  adoptExisting: false,
  protect: true,
  readers: [],
  writers: [],
  publicAccess: false,
  ciServiceAccountId: "hyperion-ci",
  ciCanPublish: false,
  githubRepository: undefined,
  githubRefs: ["refs/heads/main", "refs/tags/v*"],
  githubEnvironment: "production",
} as const satisfies Partial<Record<Name, unknown>>;

/**
 * Finds settings that are valid but contradict each other.
 *
 * @param invalid settings to leave out.
 */
export function conflicts(settings: Partial<Settings>, invalid: ReadonlySet<string>): Problem[] {
  const valid = (...names: Name[]): boolean => !names.some((name) => invalid.has(name));
  return [
    ...(valid("manageRegistry", "publishImages") ? nothingToDo(settings) : []),
    ...(valid("manageRegistry") && settings.manageRegistry === false
      ? withoutRegistry(settings, invalid)
      : []),
    ...(valid("writers") ? anyoneMayPush(settings) : []),
    ...(valid("overrideDomainRestrictedSharing", "publicAccess") ? uselessException(settings) : []),
    ...(valid("releaseDate", "revision", "version") ? uselessDate(settings) : []),
    ...(valid("githubRepository", "githubRepositoryId", "githubOwnerId") ? githubIds(settings) : []),
    ...(valid("githubRepository", "ciServiceAccountId") ? longAccountId(settings) : []),
    ...(valid("githubRepository", "githubRefs") ? noRefs(settings) : []),
    ...(valid("githubRepository", "githubRefs", "githubEnvironment") ? longMapping(settings) : []),
  ];
}

function conflict(name: Name, found: string, allowed: string, fix: string): Problem[] {
  return [{ where: settingKey(name), found, allowed, fix }];
}

function nothingToDo({ manageRegistry, publishImages }: Partial<Settings>): Problem[] {
  if (manageRegistry !== false || publishImages !== false) return [];
  return conflict(
    "publishImages",
    "false, while manageRegistry is false",
    "true for one of them; otherwise the stack is empty",
    configRemove("publishImages"),
  );
}

/** Settings that a stack without a registry does not use. */
function withoutRegistry(settings: Partial<Settings>, invalid: ReadonlySet<string>): Problem[] {
  return Object.entries(REGISTRY_DEFAULTS).flatMap(([name, byDefault]) => {
    const value = settings[name as keyof typeof REGISTRY_DEFAULTS];
    if (invalid.has(name) || isDeepStrictEqual(value, byDefault)) return [];
    return conflict(
      name as Name,
      `${shown(value)}, while manageRegistry is false`,
      "only in the stack that manages the registry",
      configRemove(name),
    );
  });
}

function anyoneMayPush({ writers = [] }: Partial<Settings>): Problem[] {
  const index = writers.indexOf(ALL_AUTHENTICATED_USERS);
  if (index < 0) return [];
  return [
    {
      where: settingKey(`writers[${index}]`),
      found: `"${ALL_AUTHENTICATED_USERS}"`,
      allowed: "principals by name; any Google account could push",
      fix: configRemove(`writers[${index}]`),
    },
  ];
}

function uselessException(settings: Partial<Settings>): Problem[] {
  if (settings.overrideDomainRestrictedSharing !== true || settings.publicAccess === true) return [];
  return conflict(
    "overrideDomainRestrictedSharing",
    "true, while publicAccess is false",
    "true only together with publicAccess",
    configRemove("overrideDomainRestrictedSharing"),
  );
}

function uselessDate({ releaseDate, revision, version }: Partial<Settings>): Problem[] {
  if (releaseDate === undefined || (revision !== undefined && version === undefined)) return [];
  return conflict(
    "releaseDate",
    version === undefined
      ? `"${releaseDate}", without a revision`
      : `"${releaseDate}", together with the version ${version}`,
    "a date together with the revision of main's tip, without a version",
    configRemove("releaseDate"),
  );
}

function githubIds(settings: Partial<Settings>): Problem[] {
  const { githubRepository, githubRepositoryId, githubOwnerId } = settings;
  const ids = [githubRepositoryId, githubOwnerId].filter((id) => id !== undefined);
  return [
    ...(githubRepository === undefined && ids.length > 0
      ? conflict(
          "githubRepository",
          "nothing, while githubRepositoryId or githubOwnerId is set",
          "owner/name",
          configSet("githubRepository", "OWNER/NAME"),
        )
      : []),
    ...(ids.length === 1 ? missingId(githubRepositoryId === undefined) : []),
  ];
}

function missingId(ofRepository: boolean): Problem[] {
  return conflict(
    ofRepository ? "githubRepositoryId" : "githubOwnerId",
    "nothing, while the other id is set",
    "both ids or none",
    ofRepository
      ? configSet("githubRepositoryId", `"$(gh api repos/OWNER/NAME --jq .id)"`)
      : configSet("githubOwnerId", `"$(gh api users/OWNER --jq .id)"`),
  );
}

function longAccountId({ githubRepository, ciServiceAccountId = "" }: Partial<Settings>): Problem[] {
  if (githubRepository === undefined || ciServiceAccountId.length <= 22) return [];
  return conflict(
    "ciServiceAccountId",
    `"${ciServiceAccountId}", while githubRepository is set`,
    "at most 22 characters, since the preview account adds -preview and an id has 30",
    configSet("ciServiceAccountId", "hyperion-ci"),
  );
}

function noRefs({ githubRepository, githubRefs }: Partial<Settings>): Problem[] {
  if (githubRepository === undefined || githubRefs?.length !== 0) return [];
  return conflict(
    "githubRefs",
    "an empty list, while githubRepository is set",
    "at least one git ref",
    configSet("githubRefs[0]", "refs/heads/main"),
  );
}

function longMapping(settings: Partial<Settings>): Problem[] {
  const { githubRepository, githubRefs = [], githubEnvironment = "" } = settings;
  if (githubRepository === undefined) return [];
  const mapping = attributeMapping({
    repository: githubRepository,
    refs: githubRefs,
    environment: githubEnvironment,
  });
  const length = Math.max(...Object.values(mapping).map((expression) => expression.length));
  if (length <= LONGEST_MAPPING) return [];
  return conflict(
    "githubRefs",
    `refs that make an attribute mapping of ${length} characters`,
    `at most ${LONGEST_MAPPING} characters, which is Google's limit; use fewer refs, or a star for several`,
    configRemove(`githubRefs[${githubRefs.length - 1}]`),
  );
}

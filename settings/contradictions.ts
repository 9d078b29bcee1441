import { isDeepStrictEqual } from "node:util";
import { ALL_AUTHENTICATED_USERS } from "../components/access/principals.ts";
import { attributeMapping, LONGEST_MAPPING } from "../components/ci/github-claims.ts";
import type { Problem } from "../problems/problem.ts";
import { shown } from "../problems/wording.ts";
import type { Settings } from "./schema.ts";
import { configRemove, configSet, settingKey } from "../problems/setting-commands.ts";

type Name = keyof Settings;

/**
 * The settings of the stack that manages the registry, with the defaults of Pulumi.yaml: the engine does not tell a value
 * that is set from a default. Those that contradict one of these by themselves are not here.
 */
export const OF_THE_REGISTRY = {
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
 * Settings that are valid each by itself and contradict each other.
 *
 * @param wrong settings that are not valid by themselves: nothing is said about what they would mean for others.
 */
export function conflicts(settings: Partial<Settings>, wrong: ReadonlySet<string>): Problem[] {
  const sound = (...names: Name[]): boolean => !names.some((name) => wrong.has(name));
  return [
    ...(sound("manageRegistry", "publishImages") ? nothingToDo(settings) : []),
    ...(sound("manageRegistry") && settings.manageRegistry === false ? withoutRegistry(settings, wrong) : []),
    ...(sound("writers") ? anyoneMayPush(settings) : []),
    ...(sound("overrideDomainRestrictedSharing", "publicAccess") ? uselessException(settings) : []),
    ...(sound("releaseDate", "revision", "version") ? uselessDate(settings) : []),
    ...(sound("githubRepository", "githubRepositoryId", "githubOwnerId") ? githubIds(settings) : []),
    ...(sound("githubRepository", "ciServiceAccountId") ? longAccountId(settings) : []),
    ...(sound("githubRepository", "githubRefs") ? noRefs(settings) : []),
    ...(sound("githubRepository", "githubRefs", "githubEnvironment") ? longMapping(settings) : []),
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
    "true for one of them: such a stack would hold nothing",
    configRemove("publishImages"),
  );
}

/** What is of no use to a stack that only publishes images. */
function withoutRegistry(settings: Partial<Settings>, wrong: ReadonlySet<string>): Problem[] {
  return Object.entries(OF_THE_REGISTRY).flatMap(([name, byDefault]) => {
    const value = settings[name as keyof typeof OF_THE_REGISTRY];
    if (wrong.has(name) || isDeepStrictEqual(value, byDefault)) return [];
    return conflict(
      name as Name,
      `${shown(value)}, while manageRegistry is false`,
      "set in the stack that manages the registry alone",
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
    "true only together with publicAccess: the exception serves nothing else",
    configRemove("overrideDomainRestrictedSharing"),
  );
}

function uselessDate({ releaseDate, revision, version }: Partial<Settings>): Problem[] {
  if (releaseDate === undefined || (revision !== undefined && version === undefined)) return [];
  return conflict(
    "releaseDate",
    version === undefined
      ? `"${releaseDate}", without a revision`
      : `"${releaseDate}", beside the version ${version}`,
    "a day beside the revision of main's tip, and without a version",
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
    `at most ${LONGEST_MAPPING} characters, as Google takes them: fewer refs, or one with a star for several`,
    configRemove(`githubRefs[${githubRefs.length - 1}]`),
  );
}

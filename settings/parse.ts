import * as pulumi from "@pulumi/pulumi";
import type { GithubTrust } from "../components/ci/github-claims.ts";
import { type Problem, problemsError } from "../problems/problem.ts";
import { conflicts } from "./contradictions.ts";
import { explain, secretProblem, unknownKeys } from "./explain.ts";
import { NAMESPACE } from "../problems/setting-commands.ts";
import { secretKeys } from "./secret-keys.ts";
import { GCP_SETTINGS, type Setting, type Settings, SETTINGS, type Values } from "./schema.ts";

export interface ParsedSettings {
  /** Complete if there is no problem. */
  settings: Partial<Settings>;
  problems: Problem[];
}

/**
 * Parses the settings of the stack.
 *
 * @param config every setting, by `namespace:name`.
 * @param secrets keys of the settings that are secrets.
 */
export function parseSettings(
  config: Readonly<Record<string, string>> = pulumi.runtime.allConfig(),
  secrets: readonly string[] = secretKeys(),
): ParsedSettings {
  const problems: Problem[] = unknownKeys(config, Object.keys(SETTINGS));
  const invalid = new Set<string>();
  const parse = <S extends Record<string, Setting<unknown>>>(namespace: string, table: S): Values<S> => {
    const entries = Object.entries(table).map(([name, one]) => {
      const key = `${namespace}:${name}`;
      if (secrets.includes(key)) {
        invalid.add(name);
        problems.push(secretProblem(key, one));
        return [name, undefined];
      }
      const value = config[key];
      const result = one.schema.safeParse(value);
      if (!result.success) {
        invalid.add(name);
        problems.push(...explain(key, value, result.error, one));
      }
      return [name, result.data];
    });
    return Object.fromEntries(entries) as Values<S>;
  };
  const settings: Partial<Settings> = { ...parse("gcp", GCP_SETTINGS), ...parse(NAMESPACE, SETTINGS) };
  problems.push(...conflicts(settings, invalid));
  return { settings, problems };
}

/**
 * Reads the settings of the stack.
 *
 * @param check a further check of the valid settings.
 * @throws one error for all problems of the settings and of the check.
 */
export async function readSettings(
  check: (settings: Partial<Settings>) => Promise<Problem[]>,
): Promise<Settings> {
  const { settings, problems } = parseSettings();
  problems.push(...(await check(settings)));
  if (problems.length > 0) throw problemsError(problems);
  return settings as Settings;
}

/** Returns the GitHub repository that CI runs in, if the settings have one. */
export function githubTrust(settings: Settings): GithubTrust | undefined {
  const { githubRepository, githubRepositoryId, githubOwnerId, githubRefs, githubEnvironment } = settings;
  if (githubRepository === undefined) return undefined;
  return {
    repository: githubRepository,
    refs: githubRefs,
    environment: githubEnvironment,
    ...(githubRepositoryId !== undefined &&
      githubOwnerId !== undefined && { ids: { repository: githubRepositoryId, owner: githubOwnerId } }),
  };
}

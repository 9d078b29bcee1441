import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { GithubTrust } from "../components/ci/github-claims.ts";
import type { Problem } from "../problems/problem.ts";
import { conflicts } from "./contradictions.ts";
import { explain, secretProblem, unknownKeys } from "./explain.ts";
import { NAMESPACE } from "../problems/setting-commands.ts";
import { GCP_SETTINGS, type Setting, type Settings, SETTINGS, type Values } from "./schema.ts";

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
  const problems: Problem[] = unknownKeys(config, Object.keys(SETTINGS));
  const wrong = new Set<string>();
  const parse = <S extends Record<string, Setting<unknown>>>(namespace: string, table: S): Values<S> => {
    const entries = Object.entries(table).map(([name, one]) => {
      const key = `${namespace}:${name}`;
      if (secretKeys.includes(key)) {
        wrong.add(name);
        problems.push(secretProblem(key, one));
        return [name, undefined];
      }
      const value = config[key];
      const result = one.schema.safeParse(value);
      if (!result.success) {
        wrong.add(name);
        problems.push(...explain(key, value, result.error, one));
      }
      return [name, result.data];
    });
    return Object.fromEntries(entries) as Values<S>;
  };
  const settings: Partial<Settings> = { ...parse("gcp", GCP_SETTINGS), ...parse(NAMESPACE, SETTINGS) };
  problems.push(...conflicts(settings, wrong));
  return { settings, problems };
}

/** The GitHub repository that CI runs in, when there is one. */
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

function secretConfigKeys(): string[] {
  return z.array(z.string()).parse(JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]"));
}

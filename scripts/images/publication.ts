import { existsSync } from "node:fs";
import * as path from "node:path";
import { closest, distance } from "fastest-levenshtein";
import { catalogue, type CatalogueImage } from "../../components/images/catalogue.ts";
import { sourceProblems } from "../../components/images/sources/check-sources.ts";
import {
  checkTracking,
  isPublicRegistry,
  type Purpose,
} from "../../components/images/sources/check-tracking.ts";
import {
  lines,
  ownTags,
  type Release,
  releaseDateProblem,
  revisionProblem,
  versionProblem,
} from "../../components/images/tags/names.ts";
import type { RepositoryPlace } from "../../google/full-names.ts";
import type { Findings, Problem } from "../../problems/problem.ts";
import { StackSettings } from "../../settings/stack-settings.ts";
import { stackRepository } from "../lib/own-registry.ts";
import type { Options } from "./options.ts";

/** `sourceDir` is relative to the program, wherever the stack's file is. */
const root = path.resolve(import.meta.dirname, "../..");

export interface Publication {
  /** The URL without a scheme. */
  registry: string;
  /** The registry's host, with its port. */
  host: string;
  repository: RepositoryPlace;
  /** Whether the caller named `registry`; then it can differ from the repository of the stack. */
  isNamed: boolean;
  platforms: readonly string[];
  source: string;
  images: readonly CatalogueImage[];
  release: Release;
  overwrite: boolean;
  isPublic: Purpose["isPublic"];
}

/**
 * Completes the options with the catalogue and the settings of the stack; undefined if there are problems.
 *
 * @param problems receives a sentence for each problem.
 */
export function readPublication(
  options: Options,
  projectFolder: string,
  problems: string[],
): Publication | undefined {
  const settings = new StackSettings(projectFolder, options.stack);
  const repository = stackRepository(settings);
  const registry =
    options.registry ??
    `${repository.location}-docker.pkg.dev/${repository.project}/${repository.repositoryId}`;
  const found = [
    ...releaseProblems(options),
    ...options.only.map(unknownImage),
    registryProblem(registry),
    ...catalogue.problems.map(({ where, found, allowed }) => `${where}: ${found}; allowed: ${allowed}`),
  ].filter((problem) => problem !== undefined);
  problems.push(...found);
  if (found.length > 0) return undefined;
  const { version, revision, releaseDate, overwrite } = options;
  return {
    registry,
    host: registry.replace(/\/.*/, ""),
    repository,
    isNamed: options.registry !== undefined,
    platforms: settings.list("platforms"),
    source: options.source ?? path.resolve(root, settings.text("sourceDir")),
    images: catalogue.images.filter(({ name }) => options.only.length === 0 || options.only.includes(name)),
    release: { version, revision, releaseDate },
    overwrite,
    isPublic: isPublicRegistry({
      manageRegistry: options.registry === undefined && settings.flag("manageRegistry"),
      publicAccess: settings.flag("publicAccess"),
      readers: settings.list("readers"),
    }),
  };
}

function releaseProblems({ version, revision, releaseDate, overwrite, only }: Options): string[] {
  const problem = (
    option: string,
    value: string | undefined,
    check: (value: string) => string | undefined,
  ) => {
    const message = value === undefined ? undefined : check(value);
    return message === undefined ? [] : [`--${option} ${JSON.stringify(value)} ${message}`];
  };
  return [
    ...problem("version", version, versionProblem),
    ...problem("revision", revision, revisionProblem),
    ...problem("release-date", releaseDate, releaseDateProblem),
    ...(releaseDate !== undefined && (revision === undefined || version !== undefined)
      ? ["--release-date goes with --revision, the tip of main, and without --version"]
      : []),
    ...(overwrite && version === undefined ? ["--overwrite goes with --version"] : []),
    ...(only.length > 0 && version !== undefined
      ? ["--only does not go with --version: a version has every image"]
      : []),
  ];
}

/** Problems with the sources: missing files, and the problems that the stack finds. */
export function missingSources({ source, images }: Publication): string[] {
  if (!existsSync(source)) return [`the folder of the sources, ${source}, does not exist: --source DIR`];
  return images.flatMap((image) => {
    const dockerfile = `${image.context}/${image.dockerfile}`;
    return existsSync(path.join(source, dockerfile))
      ? sourceProblems(source, [image]).map(sentence)
      : [
          `${image.name}: ${source} has no ${dockerfile}: --source DIR names the folder that holds coordinator/`,
        ];
  });
}

/** Compares the build contexts with git. */
export async function compareSources({
  source,
  images,
  release,
  isPublic,
}: Publication): Promise<Record<keyof Findings, string[]>> {
  const { problems, warnings } = await checkTracking(source, images, { ...release, isPublic });
  return { problems: problems.map(sentence), warnings: warnings.map(sentence) };
}

const sentence = ({ where, found, allowed, fix }: Problem): string =>
  `${where}: ${found}; allowed: ${allowed}: ${fix}`;

/** The steps, one a line. */
export function describePublication(
  { registry, platforms, source, images, release }: Publication,
  build: boolean,
): string {
  const { version, revision, releaseDate } = release;
  const works = images.flatMap(({ name, context, dockerfile }) =>
    platforms.flatMap((platform) => [
      ...(build ? [`build ${name} for ${platform} from ${source}/${context}, ${dockerfile}`] : []),
      `push  ${registry}/${name} for ${platform}`,
    ]),
  );
  const own = version === undefined ? [] : ownTags(version);
  const floating = version === undefined ? [] : lines(version).map(({ tag }) => tag);
  const others = [revision?.slice(0, 7), releaseDate, releaseDate && "edge"].filter(Boolean);
  const tags = [...own, ...others].join(", ");
  return [
    ...works,
    ...(tags === "" ? [] : [`tag   ${tags}`]),
    ...(floating.length === 0 ? [] : [`tag   ${floating.join(", ")}, unless a higher version holds them`]),
    ...(version === undefined && revision === undefined
      ? ["tag   latest, unless a version is published"]
      : []),
    "",
  ].join("\n");
}

function unknownImage(name: string): string | undefined {
  const names = catalogue.images.map((image) => image.name);
  if (names.includes(name)) return undefined;
  const nearest = closest(name, names);
  const hint = distance(name, nearest) <= 6 ? ` Did you mean ${nearest}?` : "";
  return `--only ${JSON.stringify(name)}: no such image.${hint} images.json has: ${names.join(", ")}`;
}

function registryProblem(registry: string): string | undefined {
  const form = "must be HOST[:PORT]/PATH, such as us-central1-docker.pkg.dev/my-project/my-repository";
  if (/^[a-z]+:\/\//i.test(registry)) {
    return `--registry ${JSON.stringify(registry)} ${form}: leave out ${registry.replace(/(:\/\/).*/, "$1")}`;
  }
  const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
  const valid = new RegExp(`^[A-Za-z0-9.-]+(?::[0-9]+)?(?:/${component})+$`);
  return valid.test(registry) ? undefined : `--registry ${JSON.stringify(registry)} ${form}`;
}

import { existsSync } from "node:fs";
import * as path from "node:path";
import { closest, distance } from "fastest-levenshtein";
import { catalogue } from "../../components/images/catalogue.ts";
import { sourceProblems } from "../../components/images/check-sources.ts";
import { checkTracking, type Purpose, type Tracking } from "../../components/images/check-tracking.ts";
import type { CatalogueImage } from "../../components/images/published-image.ts";
import { planRelease } from "../../components/images/plan.ts";
import {
  lines,
  prefixedTag,
  releaseDateProblem,
  revisionProblem,
  versionProblem,
} from "../../components/images/tags.ts";
import type { Problem } from "../../problems/problem.ts";
import { StackSettings } from "../../settings/stack-settings.ts";
import type { Options } from "./options.ts";

/** The stack whose registry, platform and sources the script takes unless it is told others. */
const STACK = "production";

/** What is published, and where. */
export interface Plan {
  /** URL without scheme. */
  registry: string;
  /** The registry's host, with its port. */
  host: string;
  platform: string;
  /** Folder of the sources. */
  source: string;
  images: readonly CatalogueImage[];
  tags: readonly string[];
  /** The tags that never move to another build; none where they may. */
  fixedTags: readonly string[];
  /** Whether everybody may pull what is published, and what it is published as. */
  purpose: Purpose;
}

/**
 * What the options mean, by the image catalogue, the tag rules and the settings of production; undefined where they
 * mean nothing.
 * @param problems gets a sentence for everything that is wrong with them.
 */
export function plan(options: Options, projectFolder: string, problems: string[]): Plan | undefined {
  const settings = new StackSettings(projectFolder, STACK);
  const registry = options.registry ?? productionRegistry(settings);
  const found = [
    ...releaseProblems(options),
    ...options.only.map(unknownImage),
    registryProblem(registry),
    ...catalogue.problems.map(({ where, found, allowed }) => `${where}: ${found}; allowed: ${allowed}`),
  ].filter((problem) => problem !== undefined);
  problems.push(...found);
  if (found.length > 0) return undefined;
  return {
    registry,
    host: registry.replace(/\/.*/, ""),
    platform: settings.text("platform"),
    source: options.source ?? path.resolve(projectFolder, settings.text("sourceDir")),
    images: catalogue.images.filter(({ name }) => options.only.length === 0 || options.only.includes(name)),
    tags: tagsOf(options),
    fixedTags:
      options.version === undefined || options.allowVersionOverwrite
        ? []
        : [options.version, prefixedTag(options.version)],
    purpose: {
      isPublic: options.registry === undefined && settings.flag("publicAccess"),
      version: options.version,
      revision: options.revision,
    },
  };
}

/** The tags of the stack's own rules for a registry that has no versions: this script cannot see which there are. */
function tagsOf({ backport, version, revision, releaseDate, edge }: Options): string[] {
  const release = { version, revision, releaseDate, edge, rollback: false, allowVersionOverwrite: false };
  const image = "any";
  const tags =
    planRelease(release, new Map([[image, new Map()]]))
      .images.get(image)
      ?.steps.flat() ?? [];
  const wider = version === undefined || !backport ? [] : lines(version).slice(1);
  return tags.filter((tag) => !wider.some((line) => line.tag === tag));
}

function releaseProblems({ version, revision, releaseDate, edge, backport }: Options): string[] {
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
    ...(edge && (revision === undefined || version !== undefined)
      ? ["--edge goes with --revision, the tip of main, and without --version"]
      : []),
    ...(releaseDate !== undefined && !edge ? ["--release-date goes with --edge, the tip of main"] : []),
    ...(backport && version === undefined
      ? ["--backport takes a version: a backport is a release of an older line, such as 1.3.9"]
      : []),
    ...(backport &&
    version !== undefined &&
    versionProblem(version) === undefined &&
    lines(version).length === 0
      ? [`--backport is for stable versions: the prerelease ${version} moves no other tag anyway`]
      : []),
  ];
}

/** What cannot be built: what is missing by what --source names, and what the stack finds beside that. */
export function missingSources({ source, images }: Plan): string[] {
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

/** What builds of these sources would see that git does not have: what stops them, and what is only told. */
export async function compareSources({
  source,
  images,
  purpose,
}: Plan): Promise<Record<keyof Tracking, string[]>> {
  const { problems, warnings } = await checkTracking(source, images, purpose);
  return { problems: problems.map(sentence), warnings: warnings.map(sentence) };
}

const sentence = ({ where, found, allowed, fix }: Problem): string =>
  `${where}: ${found}; allowed: ${allowed}: ${fix}`;

/** What would be done, a line for each step. */
export function describePlan(
  { registry, platform, source, images, tags, fixedTags }: Plan,
  build: boolean,
): string {
  const lines = images.flatMap(({ name, context, dockerfile }) => [
    ...(build ? [`build ${name} for ${platform} from ${source}/${context}, ${dockerfile}\n`] : []),
    ...tags.map((tag) => {
      const unless = fixedTags.includes(tag) ? ", unless another build is published under it" : "";
      return `push  ${registry}/${name}:${tag}${unless}\n`;
    }),
  ]);
  return lines.join("");
}

/** Artifact Registry's own form of a repository's URL; the stack takes it from the repository itself. */
function productionRegistry(settings: StackSettings): string {
  const [project, region] = [settings.text("gcp:project"), settings.text("gcp:region")];
  return `${region}-docker.pkg.dev/${project}/${settings.text("repositoryId")}`;
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

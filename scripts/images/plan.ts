import * as path from "node:path";
import { parseArgs } from "node:util";
import { closest, distance } from "fastest-levenshtein";
import { catalogue as imageCatalogue } from "../../components/images/catalogue.ts";
import {
  buildTag,
  immutableTag,
  publishedTags,
  releaseProblems,
  type Release,
} from "../../components/images/tags.ts";
import { dockerConfigFile, dockerLogin } from "../../components/images/docker-login.ts";
import { StackSettings } from "../../settings/stack-settings.ts";

/** The stack whose registry, platform and sources the script takes unless it is told others. */
const stack = "production";

/** One fact a line: a word that says what it is, then its values. */
export type Line = readonly string[];

/**
 * Everything that `build-and-push-images.sh` has to know, from the image catalogue, the tag rules
 * and the settings of production:
 *
 * | line | values |
 * | --- | --- |
 * | `problem` | a sentence for the user; the other lines may then be missing |
 * | `registry` | URL without scheme, host |
 * | `login` | `helper NAME`, `stored` or `none`, then the configuration's file |
 * | `platform` | `linux/amd64` |
 * | `source` | folder of the sources |
 * | `build-tag` | the tag of the local image |
 * | `tag` | a tag to publish, and `fixed` or `floating` |
 * | `image` | name, context, dockerfile relative to the context |
 *
 * @param args the script's options that name images, tags or places.
 */
export function catalogue(args: string[], projectFolder: string, environment: NodeJS.ProcessEnv): Line[] {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", multiple: true, default: [] },
      registry: { type: "string" },
      source: { type: "string" },
      version: { type: "string" },
      revision: { type: "string" },
      "release-date": { type: "string" },
      backport: { type: "boolean", default: false },
    },
  });
  const settings = new StackSettings(projectFolder, stack);
  const registry = values.registry ?? productionRegistry(settings);
  const release: Release = {
    version: values.version,
    revision: values.revision,
    releaseDate: values["release-date"],
    backport: values.backport,
  };
  const problems = [
    ...releaseProblems(release).map(({ key, message }) => {
      const value = release[key];
      return `${option(key)}${typeof value === "string" ? ` ${JSON.stringify(value)}` : ""} ${message}`;
    }),
    ...values.only.map(unknownImage),
    registryProblem(registry),
    ...imageCatalogue.problems.map(({ where, found, allowed }) => `${where}: ${found}; allowed: ${allowed}`),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) return problems.map((problem) => ["problem", problem]);

  const host = registry.replace(/\/.*/, "");
  const file = dockerConfigFile(environment);
  const login = dockerLogin(file, host);
  const chosen = imageCatalogue.images.filter(
    ({ name }) => values.only.length === 0 || values.only.includes(name),
  );
  return [
    ["registry", registry, host],
    ["login", login.kind === "helper" ? `helper ${login.name}` : login.kind, file],
    ["platform", settings.text("platform")],
    ["source", values.source ?? path.resolve(projectFolder, settings.text("sourceDir"))],
    ["build-tag", buildTag],
    ...publishedTags(release).map((tag) => [
      "tag",
      tag,
      tag === immutableTag(release) ? "fixed" : "floating",
    ]),
    ...chosen.map(({ name, context, dockerfile }) => ["image", name, context, dockerfile]),
  ];
}

/** Artifact Registry's own form of a repository's URL; the stack takes it from the repository itself. */
function productionRegistry(settings: StackSettings): string {
  const [project, region] = [settings.text("gcp:project"), settings.text("gcp:region")];
  return `${region}-docker.pkg.dev/${project}/${settings.text("repositoryId")}`;
}

function option(key: keyof Release): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function unknownImage(name: string): string | undefined {
  const names = imageCatalogue.images.map((image) => image.name);
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

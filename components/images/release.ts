import { Provider } from "@pulumi/docker/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { catalogue } from "./catalogue.ts";
import { confirmLogin, requireHelper } from "./confirm-login.ts";
import { type Decision, registryOf, type ReleaseArgs } from "./decide-release.ts";
import { declareTags } from "./declared-tags.ts";
import { registryHost } from "./docker/login.ts";
import { differingSources, type ImagePlan } from "./plan.ts";
import { type CatalogueImage, PublishedImage, type PublishedImageArgs } from "./published-image.ts";
import { digestOf } from "./recorded-tags.ts";
import { correctFloatingTags, markBuilds, stopIfOvertaken } from "./release-steps.ts";

/** How images are built and what they are published as: the settings of the same names. */
export interface ImagesArgs extends ReleaseArgs {
  sourceDir: string;
  platform: string;
  /** By image. */
  buildArgs: Readonly<Partial<Record<string, Readonly<Record<string, string>>>>>;
  buildCache: "local" | "registry";
  buildOnPreview: boolean;
}

/** A published image, as the stack's output tells it. */
export interface ReleasedImage {
  /** The image by digest, `host/project/repository/image@sha256:...`. */
  reference: pulumi.Output<string>;
  digest: pulumi.Output<string>;
  tags: string[];
  /** The command that pulls it. */
  pull: pulumi.Output<string>;
}

/**
 * Builds, pushes and tags every image of the catalogue. Builds run side by side; the tags of a release wait for all of
 * them, its floating tags for all of its own, and `v1.4.2` for all of those, so that a release is all or nothing.
 */
export function release(
  args: ImagesArgs,
  repositoryUrl: pulumi.Output<string>,
  decision: Decision,
): Record<string, ReleasedImage> {
  const { plan } = decision;
  plan.notes.forEach(tell);
  const url = repositoryUrl.apply(requireHelper);
  const login = url.apply(confirmLogin);
  // Nothing is built before there is a login. A preview builds nothing, and asks meanwhile: a helper takes its time.
  const registryUrl = pulumi.runtime.isDryRun() ? url : login;
  // With an address alone the plugin takes the login from the Docker configuration: none reaches the state.
  const provider = new Provider("registry", {
    registryAuth: [{ address: registryUrl.apply(registryHost) }],
  });
  const built = deferredGate();
  const steps = [deferredGate(), deferredGate(), deferredGate()] as const;
  const again = new Date().toISOString();
  const images = catalogue.images.map((image) => {
    const planned = plan.images.get(image.name) ?? NO_TAGS;
    const declared = declareTags(planned, {
      registry: decision.registry.get(image.name) ?? new Map(),
      recorded: decision.recorded.get(image.name),
      keep: decision.isPublished,
      again,
    });
    const tags = declared.tags.map((tag) => ({
      ...tag,
      after: tag.step === undefined ? [] : steps[tag.step].output,
    }));
    const isTagged = declared.tags.some(({ step }) => step !== undefined);
    const pull = declared.pull && { ...declared.pull, after: isTagged ? built.output : [] };
    const imageArgs = { ...buildArgs(image, args), registryUrl, pull, tags };
    const component = new PublishedImage(image.name, imageArgs, { providers: [provider] });
    const setIn = (step: number): pulumi.Output<string>[] =>
      declared.tags.flatMap((tag) => (tag.step === step ? (component.published.get(tag.tag) ?? []) : []));
    return { name: image.name, planned, build: component.build, setIn };
  });
  const { allowVersionOverwrite, version } = args;
  const work = {
    registry: registryOf(args),
    plan,
    newVersion: allowVersionOverwrite ? undefined : version,
  };
  const published = (step: number) => images.flatMap(({ setIn }) => setIn(step));
  const tagged = images.filter(
    ({ planned }) => planned.digest === undefined && planned.steps.flat().length > 0,
  );
  const builds = pulumi.all(Object.fromEntries(tagged.map(({ name, build }) => [name, build])));
  const pushed = pulumi.all([builds, login]);
  // Names in the local engine are nobody's: they are set while the builds are being marked.
  built.open(gate(pushed, () => undefined));
  steps[0].open(gate(pushed, ([references]) => markBuilds(work, digestsOf(references))));
  const isFloating = published(1).length > 0;
  const own = pulumi.all(published(0));
  steps[1].open(gate(own, () => (isFloating ? stopIfOvertaken(work) : undefined)));
  const floating = pulumi.all([...published(0), ...published(1)]);
  steps[2].open(gate(floating, () => (isFloating ? correctFloatingTags(work) : undefined)));
  if (version !== undefined) void tellDifference(version, decision, images);
  return Object.fromEntries(
    images.map(({ name, planned, build }) => [name, released(name, planned, registryUrl, build)]),
  );
}

const NO_TAGS: ImagePlan = { digest: undefined, steps: [[], [], []] };

/** What waits for this begins when the values are known and, at `up`, the check has passed. */
function gate<T>(
  values: pulumi.Output<T>,
  check: (values: T) => Promise<void> | void,
): pulumi.Output<pulumi.Resource[]> {
  return values.apply(async (known: T) => {
    await check(known);
    return [];
  });
}

/** A gate that is made before what it waits for. */
function deferredGate() {
  const [output, open] = pulumi.deferredOutput<pulumi.Resource[]>();
  return { output, open };
}

function buildArgs(image: CatalogueImage, args: ImagesArgs): Omit<PublishedImageArgs, "registryUrl"> {
  return {
    image,
    sourceDir: args.sourceDir,
    platform: args.platform,
    buildArgs: args.buildArgs[image.name] ?? {},
    cacheFromRegistry: args.buildCache === "registry",
    buildOnPreview: args.buildOnPreview,
  };
}

function released(
  image: string,
  { digest, steps }: ImagePlan,
  repositoryUrl: pulumi.Output<string>,
  build: pulumi.Output<string>,
): ReleasedImage {
  const path = pulumi.interpolate`${repositoryUrl}/${image}`;
  const reference = digest === undefined ? build : pulumi.interpolate`${path}@${digest}`;
  const tags = steps.flat();
  return {
    reference,
    digest: reference.apply(digestOf),
    tags,
    pull: pulumi.interpolate`docker pull ${tags[0] === undefined ? reference : pulumi.interpolate`${path}:${tags[0]}`}`,
  };
}

/** Says that the sources are not those of a published version, as soon as the builds are known or known to be new ones. */
async function tellDifference(
  version: string,
  { plan }: Decision,
  images: readonly { name: string; build: pulumi.Output<string> }[],
): Promise<void> {
  const builds = await Promise.all(
    images.map(async ({ name, build }) => [name, await knownDigest(build)] as const),
  );
  const note = differingSources(version, plan, new Map(builds));
  if (note !== undefined) tell(note);
}

/** What the SDK knows of an output and its types leave out. */
interface OutputInternals {
  isKnown: Promise<boolean>;
}

/** The digest of a reference; undefined where only `up` makes it known. */
async function knownDigest(build: pulumi.Output<string>): Promise<string | undefined> {
  if (!(await (build as unknown as OutputInternals).isKnown)) return undefined;
  return new Promise((resolve) => {
    build.apply((reference) => {
      resolve(digestOf(reference));
    });
  });
}

function digestsOf(references: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries(references).map(([image, reference]) => [image, digestOf(reference)]));
}

function tell(line: string): void {
  void pulumi.log.info(line);
}

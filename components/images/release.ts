import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { catalogue } from "./catalogue.ts";
import { PublishedImage } from "./published-image.ts";
import { confirmLogin, requireHelper } from "./confirm-login.ts";
import { publishedReferences, refuseMovedVersion } from "./confirm-version.ts";
import { registryHost } from "./docker/login.ts";
import type { Settings } from "../../settings/schema.ts";
import { immutableTag, publishedTags } from "./tags.ts";

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
 * Builds, pushes and tags every image of the catalogue. Builds run side by side; the tags wait for
 * all of them, so that a release is all or nothing.
 */
export function release(
  settings: Settings,
  repositoryUrl: pulumi.Output<string>,
): Record<string, ReleasedImage> {
  const url = repositoryUrl.apply(requireHelper);
  const login = url.apply(confirmLogin);
  // Nothing is built before there is a login. A preview builds nothing, and asks meanwhile: a helper takes its time.
  const registryUrl = pulumi.runtime.isDryRun() ? url : login;
  // With an address alone the plugin takes the login from the Docker configuration: none reaches the state.
  const registry = new docker.Provider("registry", {
    registryAuth: [{ address: registryUrl.apply(registryHost) }],
  });
  const images = catalogue.images.map(
    (image) =>
      new PublishedImage(
        image.name,
        {
          image,
          sourceDir: settings.sourceDir,
          registryUrl,
          platform: settings.platform,
          buildArgs: settings.buildArgs[image.name] ?? {},
          cacheFromRegistry: settings.buildCache === "registry",
          buildOnPreview: settings.buildOnPreview,
        },
        { providers: [registry] },
      ),
  );
  const tags = publishedTags(settings);
  // Known once every image is pushed: no tag can be set before.
  const approved = pulumi
    .all([login, ...images.map((image) => image.reference)])
    .apply(([, ...references]) => approve(settings, references));
  return Object.fromEntries(
    images.map((image, index) => {
      const reference = approved.apply((references) => references[index] ?? "");
      const published = image.publish(tags, reference);
      return [
        image.imageName,
        {
          reference,
          digest: reference.apply((text) => text.replace(/^.*@/, "")),
          tags,
          pull: pulumi.interpolate`docker pull ${published[0]}`,
        },
      ];
    }),
  );
}

/** The builds that the tags are put on: those just pushed, or at a rollback those of the version. */
async function approve(settings: Settings, pushed: string[]): Promise<string[]> {
  const version = immutableTag(settings);
  if (version === undefined || settings.allowVersionOverwrite) return pushed;
  const { project, region: location, repositoryId } = settings;
  const target = { project, location, repositoryId, version };
  if (settings.rollback) return publishedReferences(target, pushed);
  await refuseMovedVersion(target, pushed);
  return pushed;
}

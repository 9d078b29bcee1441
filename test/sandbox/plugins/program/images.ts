import { Image } from "@pulumi/docker/image.js";
import { Provider } from "@pulumi/docker/provider.js";
import type { ImageOptions, ImageSettings } from "./settings.ts";

/** Declares images, and a provider with the stack's login. */
export function images(set: ImageSettings): void {
  const at = (name: string): string => `${set.registry}/production-471918/hyperion-public/${name}`;
  new Provider("registry", { registryAuth: [{ address: set.registry }] });
  let previous: Image | undefined;
  for (const [name, options] of Object.entries(set.names)) {
    // In sequence, so that the second of two equal builds gets the digest of the first.
    const { platform } = options;
    const tag = platform ? `${platform.of}:build-${platform.architecture}` : `${name}:latest`;
    const built: Image = new Image(
      name,
      imageArgs(at(tag), options),
      platform === undefined && previous ? { dependsOn: previous } : {},
    );
    if (platform === undefined) previous = built;
  }
}

function imageArgs(imageName: string, options: ImageOptions) {
  return {
    imageName,
    build: {
      context: options.context ?? "./app",
      dockerfile: options.dockerfile ?? "./app/Dockerfile",
      platform: `linux/${options.platform?.architecture ?? "amd64"}`,
      ...(options.args && { args: options.args }),
      ...(options.cacheFrom && { cacheFrom: { images: options.cacheFrom } }),
    },
    ...(options.buildOnPreview && { buildOnPreview: true }),
  };
}

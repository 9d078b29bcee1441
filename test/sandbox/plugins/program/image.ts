import { Image } from "@pulumi/docker/image.js";
import type { Resource } from "@pulumi/pulumi";

/** Declares an image in a repository. */
export function image(repository: Resource, registry: string, buildArg: string): void {
  new Image(
    "b",
    {
      imageName: `${registry}/production-471918/hyperion-public/b:latest`,
      build: {
        context: "./app",
        dockerfile: "./app/Dockerfile",
        platform: "linux/amd64",
        args: { N: buildArg },
      },
    },
    { dependsOn: repository },
  );
}

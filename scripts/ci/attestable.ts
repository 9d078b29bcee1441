import { execa } from "execa";
import { mkdir } from "node:fs/promises";
import * as path from "node:path";
import { StackSettings } from "../../settings/stack-settings.ts";
import { repositoryRegistry, stackRepository } from "../lib/own-registry.ts";
import { builtImages } from "./built-images.ts";

/** The SBOM of an image of one platform. */
interface Sbom {
  /** The full name of the image, without the tag. */
  name: string;
  digest: string;
  sbom: string;
}

interface Attestable {
  /** `HEX  NAME` for each image, in the format of sha256sum. */
  subjects: string;
  sboms: Sbom[];
}

/**
 * Finds the images that a run built, and writes an SBOM (SPDX) for each platform into a folder. Syft reads the images from the
 * registry, with the login of Docker's configuration.
 */
export async function attestable(
  project: string,
  stack: string,
  run: string,
  folder: string,
  syft: string,
): Promise<Attestable> {
  const pulumi = async (...args: string[]): Promise<string> =>
    (await execa("pulumi", ["stack", ...args, "--stack", stack])).stdout;
  const registry = await repositoryRegistry(stackRepository(new StackSettings(project, stack)));
  const images = await builtImages(
    {
      history: await pulumi("history", "--json"),
      exported: await pulumi("export"),
      images: await pulumi("output", "images", "--json"),
    },
    run,
    registry,
  );
  await mkdir(folder, { recursive: true });
  const sboms: Sbom[] = [];
  for (const { name, platforms } of images)
    for (const { platform, digest } of platforms) {
      const sbom = path.posix.join(folder, `${name}-${platform.replaceAll("/", "-")}.spdx.json`);
      const image = `${registry.url}/${name}`;
      await execa(syft, ["scan", `registry:${image}@${digest}`, "--output", `spdx-json=${sbom}`], {
        stdio: "inherit",
      });
      sboms.push({ name: image, digest, sbom });
    }
  const subjects = images.map(
    ({ name, digest }) => `${digest.replace("sha256:", "")}  ${registry.url}/${name}`,
  );
  return { subjects: subjects.join("\n"), sboms };
}

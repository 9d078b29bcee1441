import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import images from "../images.json" with { type: "json" };

/** Seconds of each image's build: WAITING stands for downloads, COMPUTING for a compiler. */
export const WAITING = 10;
export const COMPUTING = 10;

const compute = `const spent = () => { const { user, system } = process.cpuUsage(); return user + system; }; while (spent() < ${COMPUTING * 1e6});`;

/**
 * Makes every image's build take about 20 s for each platform, half of it waiting. The new stage runs on the build platform,
 * as in a Dockerfile that cross-compiles.
 */
export async function slowDown(sources: string): Promise<void> {
  for (const { context, dockerfile } of images) {
    const file = join(sources, context, dockerfile);
    // As in most Dockerfiles, downloads come before the sources, and the compiler runs after them.
    const stage = [
      "FROM --platform=$BUILDPLATFORM hyperion-sandbox-base:24-$BUILDARCH AS work",
      "ARG TARGETARCH",
      `RUN sleep ${WAITING} && echo $TARGETARCH >/architecture`,
      "COPY . /sources",
      `RUN node -e '${compute}'`,
    ];
    const text = await readFile(file, "utf8");
    await writeFile(file, `${stage.join("\n")}\n\n${text}\nCOPY --from=work /architecture /architecture\n`);
  }
}

/** The image whose sources {@link changeOneSource} changes. */
export const CHANGED_IMAGE = "hyperion-ui";

/** Changes a source of CHANGED_IMAGE. */
export async function changeOneSource(sources: string): Promise<void> {
  await appendFile(join(sources, "coordinator/ui/src/index.html"), `\n<!-- ${Date.now()} -->\n`);
}

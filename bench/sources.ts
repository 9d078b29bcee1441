import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import images from "../images.json" with { type: "json" };

/** Seconds that each image's build waits, as for downloads, and computes, as for a compile. */
export const WAITING = 10;
export const COMPUTING = 10;

const compute = `while (process.cpuUsage().user < ${COMPUTING * 1e6}) Math.sqrt(2);`;

/**
 * Makes every image's build take about 20 s for each platform, half of it waiting: as a Dockerfile that cross-compiles, so
 * that nothing is emulated.
 */
export async function slowDown(sources: string): Promise<void> {
  for (const { context, dockerfile } of images) {
    const file = join(sources, context, dockerfile);
    // As in a real Dockerfile: what is downloaded comes before the sources, what is compiled after.
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

/** Changes what goes into one image and into no other. */
export async function changeOneSource(sources: string): Promise<void> {
  await appendFile(join(sources, "coordinator/ui/src/index.html"), `\n<!-- ${Date.now()} -->\n`);
}

/** Compares the picture in the README with the output of its commands; `npm run docs:terminal` writes it. */
import { expect, test } from "vitest";
import { wantsCurrentEngine } from "../../sandbox/machine/install-engine.ts";
import { useSandbox } from "../support/shared-sandbox.ts";
import { terminalPicture } from "./terminal-picture.ts";

const sandbox = useSandbox();

/** Replaces or removes what differs between runs or machines: ports, digests, times, progress. */
function normalized(output: string): string {
  return output
    .replace(/localhost:\d+/g, "localhost:5000")
    .replace(/sha256:[0-9a-f]{64}/g, "sha256:0123abcd…")
    .replace(/ \([\d.]+m?s\)/g, "")
    .replace(/^(Error response from daemon: ).*?(denied: )/m, "$1$2")
    .split("\n")
    .filter((line) => !/updating\.\.\.|creating|Duration:|^[0-9a-f]{12}: |^What's next/.test(line))
    .map((line) => line.trimEnd())
    .join("\n")
    .replace(/\n{2,}/g, "\n")
    .trim();
}

const prompt = (command: string) => `\u001b[1m$ ${command}\u001b[0m`;

// Engines have different words; the picture shows those of Debian's.
test.skipIf(wantsCurrentEngine(process.env))(
  "the picture in the README shows the output of these commands",
  async () => {
    const image = `${sandbox.registry}/hyperion-ui:latest`;
    const { output: summary } = await sandbox.run("up");
    const published = summary.slice(summary.indexOf("Registry  ")).split("\n").slice(0, 4).join("\n");

    // Removes the image that this engine pushed, so that the pull has something to do.
    await sandbox.docker("image", "rm", image);
    const refused = await sandbox.anonymousDocker("pull", image);
    expect(refused.code).not.toBe(0);
    await sandbox.set({ publicAccess: "true" });
    const applied = await sandbox.up("--suppress-outputs", "--color", "always");
    const pulled = await sandbox.anonymousDocker("pull", image);
    expect(pulled.code, pulled.output).toBe(0);

    const shown = [
      [prompt("npm run sandbox"), published],
      [prompt(`docker pull ${image}    # without a login`), refused.output],
      [prompt("pulumi config set publicAccess true && pulumi up"), applied],
      [prompt(`docker pull ${image}`), pulled.output],
    ].map((parts) => normalized(parts.join("\n")));
    const picture = terminalPicture(
      shown.join("\n\n"),
      "Hyperion's registry in the sandbox",
      "A pull without a login is refused; publicAccess is set; pulumi up grants it; the same pull succeeds. Ports, digests and times are replaced.",
    );
    expect(picture.length).toBeLessThan(30_000);
    await expect(
      picture,
      "docs/terminal.svg differs from the output of the commands. Fix it: npm run docs:terminal",
    ).toMatchFileSnapshot("../../docs/terminal.svg");
  },
);

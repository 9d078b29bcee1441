import { execa } from "execa";
import { z } from "zod";

const names = z.array(z.object({ name: z.string() })).default([]);

/** The parts of `knip --reporter json` that this check uses; taken from knip 6.44. */
const report = z.object({
  issues: z.array(
    z.object({
      file: z.string(),
      files: names,
      dependencies: names,
      devDependencies: names,
      optionalPeerDependencies: names,
      unlisted: names,
      binaries: names,
      unresolved: names,
      exports: names,
      types: names,
      enumMembers: names,
      duplicates: z.array(z.unknown()).default([]),
    }),
  ),
});

/**
 * Unused files, exports and dependencies, and unlisted dependencies, found by knip with its settings in package.json;
 * `KIND: NAME in FILE`, sorted.
 */
export async function unusedViolations(folder: string): Promise<string[]> {
  const { stdout, stderr } = await execa("knip", ["--no-progress", "--reporter", "json"], {
    cwd: folder,
    preferLocal: true,
    localDir: folder,
    reject: false,
  });
  const parsed = report.safeParse(parseJson(stdout));
  if (!parsed.success) throw new Error(`knip printed no report:\n${stderr || stdout}`);
  return parsed.data.issues
    .flatMap(({ file, ...kinds }) =>
      Object.entries(kinds).flatMap(([kind, found]) =>
        found.map((one) => {
          const name = z.object({ name: z.string() }).safeParse(one).data?.name ?? JSON.stringify(one);
          return kind === "files" ? `unused file: ${name}` : `knip, ${kind}: ${name} in ${file}`;
        }),
      ),
    )
    .sort();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

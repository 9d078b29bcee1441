import * as path from "node:path";
import { cruise, type ICruiseResult, type IConfiguration } from "dependency-cruiser";
import rules from "./imports.json" with { type: "json" };

/** Files that are there for tests, which may import anything. */
const FOR_TESTS = /^test\/|\.test\.ts$|\/testing\//;

/**
 * What breaks the rules of imports.json or makes rooms import each other in a circle, `RULE: FROM -> TO` each, sorted.
 * @param folder the project's.
 */
export async function importViolations(folder: string): Promise<string[]> {
  const { output } = await cruise(["."], {
    baseDir: folder,
    exclude: { path: "(^|/)(node_modules|\\.sandbox)/" },
    includeOnly: { path: "\\.(ts|cjs)$" },
    ruleSet: rules as IConfiguration,
    tsPreCompilationDeps: true,
    validate: true,
  });
  const result = output as ICruiseResult;
  const files = result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
  return [...new Set([...files, ...roomCircles(result)])].sort();
}

/** The imports of rooms that lie on a circle of rooms. */
function roomCircles({ modules }: ICruiseResult): string[] {
  const imports = new Map<string, Set<string>>();
  for (const { source, dependencies } of modules) {
    if (FOR_TESTS.test(source)) continue;
    for (const { resolved } of dependencies) {
      const [from, to] = [roomOf(source), roomOf(resolved)];
      if (from !== to) imports.set(from, (imports.get(from) ?? new Set()).add(to));
    }
  }
  return [...imports].flatMap(([from, rooms]) =>
    [...rooms].filter((to) => reaches(imports, to, from)).map((to) => `room circle: ${from} -> ${to}`),
  );
}

/** `settings`, `components/images`, `sandbox/lib`; the folder itself for what is loose in it. */
function roomOf(file: string): string {
  const depth = /^(components|sandbox)\//.test(file) ? 2 : 1;
  return path.posix.dirname(file).split("/").slice(0, depth).join("/");
}

function reaches(imports: ReadonlyMap<string, ReadonlySet<string>>, from: string, target: string): boolean {
  const seen = new Set([from]);
  for (const room of seen) for (const next of imports.get(room) ?? []) seen.add(next);
  return seen.has(target);
}

import * as path from "node:path";
import { cruise, type ICruiseResult, type IConfiguration } from "dependency-cruiser";
import rules from "./imports.json" with { type: "json" };

/** Test files, which can import anything. */
const FOR_TESTS = /^test\/|\.test\.ts$|\/testing\//;

/**
 * Imports that break the rules of imports.json, and circles of folders; `RULE: FROM -> TO`, sorted.
 *
 * @param folder the project's folder.
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
  return [...new Set([...files, ...folderCircles(result)])].sort();
}

/** Imports between folders that are part of a circle. */
function folderCircles({ modules }: ICruiseResult): string[] {
  const imports = new Map<string, Set<string>>();
  for (const { source, dependencies } of modules) {
    if (FOR_TESTS.test(source)) continue;
    for (const { resolved } of dependencies) {
      const [from, to] = [folderOf(source), folderOf(resolved)];
      if (from !== to) imports.set(from, (imports.get(from) ?? new Set()).add(to));
    }
  }
  return [...imports].flatMap(([from, folders]) =>
    [...folders].filter((to) => reaches(imports, to, from)).map((to) => `folder circle: ${from} -> ${to}`),
  );
}

/** The folder of a subject: `settings`, `components/images`, `sandbox/lib`. */
function folderOf(file: string): string {
  const depth = /^(components|sandbox)\//.test(file) ? 2 : 1;
  return path.posix.dirname(file).split("/").slice(0, depth).join("/");
}

function reaches(imports: ReadonlyMap<string, ReadonlySet<string>>, from: string, target: string): boolean {
  const seen = new Set([from]);
  for (const folder of seen) for (const next of imports.get(folder) ?? []) seen.add(next);
  return seen.has(target);
}

/** An entry of package-lock.json (https://docs.npmjs.com/cli/configuring-npm/package-lock-json). */
export interface LockedPackage {
  version?: string;
  integrity?: string;
  resolved?: string;
  license?: string;
  dev?: boolean;
  /** Whether it is a workspace of the project. */
  link?: boolean;
}

/** The parts of package-lock.json that this check reads. */
export interface Lockfile {
  /** By folder, such as `node_modules/zod`; outside of `node_modules`: the project (the empty name) and its workspaces. */
  packages: Record<string, LockedPackage>;
}

/** The parts of package.json that this check reads. */
export interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  /** Folders of the workspaces. */
  workspaces?: string[];
}

/** Allowed licences, as SPDX ids: they require at most a notice or (MPL) to publish changes of its files. */
export const ALLOWED_LICENSES: readonly string[] = [
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC-BY-3.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MPL-2.0",
  "PSF-2.0",
  "Python-2.0",
];

/** Licences of packages without an SPDX expression, from their licence files. */
const READ_BY_HAND: Readonly<Record<string, string>> = {
  "@logdna/tail-file": "MIT",
  "url-template": "BSD-3-Clause",
};

/** A package of the lockfile. */
export interface Package {
  name: string;
  version: string;
  /** An SPDX expression; empty if unknown. */
  license: string;
  /** Only for development of this project. */
  dev: boolean;
}

/** The packages of the lockfile, without the project and its workspaces, sorted by name. */
export function packagesOf(lockfile: Lockfile): Package[] {
  return entriesOf(lockfile)
    .map(([name, { version = "", license = "", dev = false }]) => ({
      name,
      version,
      license: READ_BY_HAND[name] ?? license,
      dev,
    }))
    .sort((a, b) => a.name.localeCompare(b.name, "en") || a.version.localeCompare(b.version, "en"));
}

function entriesOf({ packages }: Lockfile): [string, LockedPackage][] {
  return Object.entries(packages)
    .filter(([folder, { link }]) => folder.includes("node_modules/") && link !== true)
    .map(([folder, entry]) => [folder.replace(/^.*node_modules\//, ""), entry]);
}

/** The problems with the dependencies, each with its fix. */
export function packageProblems(manifest: Manifest, lockfile: Lockfile): string[] {
  const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  return [
    ...wanted
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(
        ([name, version]) =>
          `package.json: ${name} is "${version}"; allowed is one exact version. Fix it: npm install --save-exact ${name}@VERSION`,
      ),
    ...entriesOf(lockfile).flatMap(([name, { integrity, resolved }]) => [
      ...(integrity?.startsWith("sha512-") === true
        ? []
        : [
            `package-lock.json: ${name} has no sha512 integrity, so that npm cannot verify the download. Fix it: install ${name} from a registry`,
          ]),
      ...(resolved === undefined
        ? []
        : [
            `package-lock.json: ${name} names the address ${resolved}; allowed is none: each machine has its own registry. Fix it: npm install --package-lock-only --omit-lockfile-registry-resolved`,
          ]),
    ]),
    ...packagesOf(lockfile)
      .filter(({ license }) => !isAllowed(license))
      .map(
        ({ name, version, license }) =>
          `${name} ${version} has the licence "${license}"; allowed are ${ALLOWED_LICENSES.join(", ")}. Fix it: another package, or read its licence and add it to scripts/checks/packages.ts`,
      ),
  ];
}

/** Requires both sides of an "OR": simpler, and stricter than needed. */
function isAllowed(expression: string): boolean {
  const ids = expression.split(/[()\s]+|\b(?:AND|OR)\b/).filter((id) => id !== "");
  return ids.length > 0 && ids.every((id) => ALLOWED_LICENSES.includes(id));
}

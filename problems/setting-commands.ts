/**
 * Namespace of this project's settings: the project's name in `Pulumi.yaml`. It is part of every URN and cannot change.
 */
export const NAMESPACE = "hyperion-registry";

/** The command that runs the verified CLI. Arguments follow. */
export const PULUMI = "npm run pulumi --";

/** Separates alternative fixes. */
export const OR = "\n           or ";

/** Full key of a setting, for messages and `pulumi config`. */
export function settingKey<Name extends string>(name: Name): `${typeof NAMESPACE}:${Name}` {
  return `${NAMESPACE}:${name}`;
}

/** The command that sets a setting, or an element of a list (`readers[0]`). */
export function configSet(name: string, value: string): string {
  return `${PULUMI} config set ${pathOption(name)} ${value}`;
}

/** The command that removes a setting, or an element of a list. */
export function configRemove(name: string): string {
  return `${PULUMI} config rm ${pathOption(name)}`;
}

function pathOption(name: string): string {
  const key = settingKey(name);
  return name.includes("[") ? `--path '${key}'` : key;
}

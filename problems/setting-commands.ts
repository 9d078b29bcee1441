/** Namespace of the stack's own settings: the project's name in `Pulumi.yaml`. It is part of its stacks' URNs, so it never changes. */
export const NAMESPACE = "hyperion-registry";

/** How a person runs the verified CLI; arguments follow. */
export const PULUMI = "npm run pulumi --";

/** The full name of a setting, as in messages and in `pulumi config`. */
export function settingKey<Name extends string>(name: Name): `${typeof NAMESPACE}:${Name}` {
  return `${NAMESPACE}:${name}`;
}

/** The command that sets a setting, or one element of a list (`readers[0]`). */
export function configSet(name: string, value: string): string {
  return `${PULUMI} config set ${pathOption(name)} ${value}`;
}

/** The command that removes a setting, or one element of a list. */
export function configRemove(name: string): string {
  return `${PULUMI} config rm ${pathOption(name)}`;
}

function pathOption(name: string): string {
  const key = settingKey(name);
  return name.includes("[") ? `--path '${key}'` : key;
}

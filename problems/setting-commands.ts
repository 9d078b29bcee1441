/** Namespace of the stack's own settings: the project's name in `Pulumi.yaml`, part of its stacks' URNs, and so for ever. */
export const NAMESPACE = "hyperion-registry";

/** A setting as messages and `pulumi config` name it. */
export function settingKey<Name extends string>(name: Name): `${typeof NAMESPACE}:${Name}` {
  return `${NAMESPACE}:${name}`;
}

/** The command that sets a setting, or one element of a list (`readers[0]`). */
export function configSet(name: string, value: string): string {
  return `pulumi config set ${pathOption(name)} ${value}`;
}

/** The command that takes a setting out, or one element of a list. */
export function configRemove(name: string): string {
  return `pulumi config rm ${pathOption(name)}`;
}

function pathOption(name: string): string {
  const key = settingKey(name);
  return name.includes("[") ? `--path '${key}'` : key;
}
